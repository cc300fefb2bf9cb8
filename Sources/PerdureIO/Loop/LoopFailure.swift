internal import Glibc

/// The system refused something that an event loop needs.
package struct LoopFailure: Error, CustomStringConvertible {
    /// What was being done.
    package let action: String
    /// The system's error number.
    package let errorNumber: Int32

    package var description: String {
        "could not \(self.action): \(String(cString: strerror(self.errorNumber)))"
    }
}
