internal import Glibc
internal import PerdureCLI

// Ctrl-C stops the work cleanly; a second one ends the process at once. Signals are blocked before the first thread is started, and
// this thread, which has nothing else to do, waits for them. (Awaiting here would let dispatch unblock them on it.)
var signals = sigset_t()
sigemptyset(&signals)
sigaddset(&signals, SIGINT)
sigaddset(&signals, SIGTERM)
pthread_sigmask(SIG_BLOCK, &signals, nil)

let work = Task.detached { () -> Void in exit(await Tool.run(Array(CommandLine.arguments.dropFirst()))) }
var number: Int32 = 0
sigwait(&signals, &number)
work.cancel()
sigwait(&signals, &number)
exit(128 + number)
