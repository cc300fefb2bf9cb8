import PerdureModel
import Testing

@Suite struct SettingTextTests {
    @Test(
        arguments: [
            ("200us", .microseconds(200)), ("500ms", .milliseconds(500)), ("90s", .seconds(90)), ("90", .seconds(90)),
            ("10m", .seconds(600)), ("1h", .seconds(3_600)), ("0", .zero),
            ("4294967295h", Duration.seconds(3_600) * 4_294_967_295),
        ] as [(String, Duration)])
    func readsTimes(_ text: String, _ time: Duration) { #expect(SettingText.time(text) == time) }

    @Test(arguments: ["", "h", "-1s", "1.5s", "4294967296", "5x", "5 s", "us", "1e3"])
    func takesNothingElse(_ text: String) { #expect(SettingText.time(text) == nil) }
}
