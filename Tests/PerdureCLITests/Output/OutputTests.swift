import PerdureState
import Testing

@testable import PerdureCLI

@Suite("Output")
struct OutputTests {
    @Test(
        "JSON text is escaped",
        arguments: [
            ("plain", "\"plain\""), ("a\"b\\c", "\"a\\\"b\\\\c\""), ("\n\r\t", "\"\\n\\r\\t\""),
            ("\u{1}", "\"\\u0001\""),
            ("é😀", "\"é😀\""),
        ])
    func json(_ text: String, _ expected: String) {
        #expect(JSONText.string(text).text == expected)
    }

    @Test("numbers that JSON has no word for are null")
    func numbers() {
        #expect(JSONText.number(Double.nan).text == "null")
        #expect(JSONText.number(UInt64.max).text == "18446744073709551615")
    }

    @Test(
        "times are those of the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (1_700_000_000_123, "2023-11-14T22:13:20.123Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ])
    func times(_ milliseconds: Int64, _ expected: String) {
        #expect(UTCTime(milliseconds).text == expected)
    }

    @Test("payloads are JSON on one line, or a dump")
    func payloads() {
        func text(_ payload: String) -> PayloadText {
            PayloadText(StatePayload(manifest: "m", bytes: Array(payload.utf8)))
        }
        #expect(text("{\n  \"a\": 1\n}\n") == .json("{   \"a\": 1 } "))
        #expect(text("7") == .json("7"))
        #expect(text("{") == .hex(["00000000  7b                                               |{|"]))
        #expect(text("") == .hex([]))
        #expect(
            text("0123456789abcdef\u{1}")
                == .hex([
                    "00000000  30 31 32 33 34 35 36 37 38 39 61 62 63 64 65 66  |0123456789abcdef|",
                    "00000010  01                                               |.|",
                ]))
    }
}
