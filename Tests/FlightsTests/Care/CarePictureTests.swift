import Foundation
import Testing

@testable import Flights

/// The picture in the documentation is that of the workflow as it is.
@Suite struct CarePictureTests {
    private static let page =
        URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Documentation/workflows.md")

    @Test("the documentation shows the passenger-care workflow as the library draws it") func picture() throws {
        let ledger = try TemporaryFile("")
        let desk = CareDesk(ledger: try CareLedger(path: ledger.path))
        let drawn = careWorkflow(desk: desk, patience: CareService.patience).mermaid()
        let text = try String(contentsOf: Self.page, encoding: .utf8)
        let pictures = text.components(separatedBy: "```mermaid\n").dropFirst().map {
            $0.components(separatedBy: "```")[0]
        }
        #expect(
            pictures.contains(drawn),
            "put this between ```mermaid and ``` in Documentation/workflows.md:\n\(drawn)")
    }
}
