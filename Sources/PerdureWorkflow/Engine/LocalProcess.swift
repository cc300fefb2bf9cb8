internal import Glibc

/// Processes of this machine: whether one that is named in a ``WorkerRecord`` still lives.
///
/// A name says which start of the machine, which PID namespace, which PID, and when the process began, as the kernel counts. So it
/// never means another process that got the same PID later; and what runs elsewhere is never taken for dead.
public enum LocalProcess {
    /// The name of this process; empty where `/proc` does not tell.
    public static let current: String = {
        guard let place = Self.place, let began = Self.beginning(of: getpid()) else { return "" }
        return "\(place)/\(getpid())/\(began)"
    }()

    /// Whether the process of that name is known to be gone: it was of this machine and this PID namespace, and is no more.
    public static func isGone(_ name: String) -> Bool {
        guard let place = self.place, name.hasPrefix("\(place)/") else { return false }
        let parts = name.dropFirst(place.count + 1).split(separator: "/")
        guard parts.count == 2, let pid = Int32(parts[0]) else { return false }
        // Somebody else's process may be hidden: then nothing is known.
        if kill(pid, 0) == 0 || errno != ESRCH {
            guard let began = self.beginning(of: pid) else { return false }
            return began != parts[1]
        }
        return true
    }

    /// The machine's start and the PID namespace.
    private static let place: String? = {
        guard let boot = Self.text("/proc/sys/kernel/random/boot_id") else { return nil }
        var buffer = [CChar](repeating: 0, count: 128)
        let count = readlink("/proc/self/ns/pid", &buffer, 127)
        guard count > 0 else { return nil }
        let namespace = String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return "\(boot.filter { !$0.isWhitespace })/\(namespace)"
    }()

    /// When a process began, in the kernel's ticks since the machine started.
    private static func beginning(of pid: Int32) -> String? {
        // After the name, which is in brackets and may contain anything, fields are separated by blanks; it is the 20th.
        guard let stat = self.text("/proc/\(pid)/stat"), let bracket = stat.lastIndex(of: ")") else { return nil }
        let fields = stat[stat.index(after: bracket)...].split(separator: " ")
        return fields.count > 19 ? String(fields[19]) : nil
    }

    private static func text(_ path: String) -> String? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(file, &buffer, buffer.count)
        return count > 0 ? String(decoding: buffer[..<count], as: UTF8.self) : nil
    }
}
