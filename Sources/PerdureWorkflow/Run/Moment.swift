/// A moment as both of an engine's clocks show it: the wall's is stored, the steady one is good for measuring.
struct Moment: Sendable, Hashable {
    /// In Unix milliseconds; may jump.
    var wall: Int64
    /// Since an origin of the clock's own.
    var steady: Duration

    /// When the steady clock will show it while the wall's shows `wall`, if neither jumps.
    func steady(at wall: Int64) -> Duration { self.steady + .milliseconds(wall &- self.wall) }
}
