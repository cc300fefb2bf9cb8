import Glibc
import PerdureState

extension FlightReport {
    /// Writes everything to a file, as JSON.
    func write(to path: String) throws {
        // The codec that stores states serves as well for a file.
        let bytes = try JSONStateCodec<FlightReport>().encode(self).bytes
        guard let file = fopen(path, "w") else {
            throw FileError("cannot write \(path): \(FileError.reason(errno))")
        }
        let written = fwrite(bytes, 1, bytes.count, file)
        guard fclose(file) == 0, written == bytes.count else {
            throw FileError("cannot write \(path): \(FileError.reason(errno))")
        }
    }
}
