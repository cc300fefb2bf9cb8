internal import Glibc
internal import PerdureCLI

// Ctrl-C stops the work cleanly; a second one ends the process at once.
var signals = sigset_t()
sigemptyset(&signals)
sigaddset(&signals, SIGINT)
sigaddset(&signals, SIGTERM)
pthread_sigmask(SIG_BLOCK, &signals, nil)

let work = Task.detached { await Tool.run(Array(CommandLine.arguments.dropFirst())) }
let watch = Interruption(of: work)
watch.start(signals)
exit(await work.value)
