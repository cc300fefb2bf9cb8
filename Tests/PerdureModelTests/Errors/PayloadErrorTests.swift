import PerdureModel
import Testing

@Suite struct PayloadErrorTests {
    private struct Leaky: Error, CustomStringConvertible, CustomDebugStringConvertible {
        var description: String { "hunter2" }
        var debugDescription: String { "hunter2" }
    }

    private let error = PayloadError(
        .malformed, message: "12 bytes are odd", manifest: "json:Secret:1", underlying: Leaky(), fileID: "M/F.swift",
        line: 7)

    @Test func strangersLearnTheCodeOnly() {
        #expect(String(describing: self.error) == "unusable payload: malformed")
    }

    @Test func operatorsLearnAllButTheContents() {
        #expect(
            String(reflecting: self.error)
                == """
                unusable payload: malformed under the manifest "json:Secret:1": 12 bytes are odd; because of an error of the \
                type Leaky [M/F.swift:7]
                """)
        #expect(self.error.underlying is Leaky)
    }

    @Test func canBeCaughtByItsCode() {
        do { throw self.error } catch PayloadError.Code.newerVersion {
            Issue.record("matched another code")
        } catch PayloadError.Code.malformed {
        } catch { Issue.record("matched nothing") }
    }
}
