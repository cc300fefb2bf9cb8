/// Something about the command line that cannot work, in words.
struct Misuse: Error, Equatable, CustomStringConvertible {
    let description: String
    /// The command whose help says more.
    var command: String?

    init(_ description: String, command: String? = nil) {
        self.description = description
        self.command = command
    }
}

/// The word of `words` that was probably meant by `typed`; nil when none is near.
func nearest(to typed: String, among words: [String]) -> String? {
    let best = words.map { (word: $0, distance: editDistance(typed, $0)) }.min { $0.distance < $1.distance }
    guard let best, best.distance <= (typed.count + 1) / 2, best.distance < best.word.count else { return nil }
    return best.word
}

/// How many letters must be added, removed or replaced to make one word of the other (Levenshtein).
private func editDistance(_ left: String, _ right: String) -> Int {
    let right = Array(right)
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for place in right.indices {
            let cost = min(row[place] + 1, row[place + 1] + 1, diagonal + (letter == right[place] ? 0 : 1))
            (diagonal, row[place + 1]) = (row[place + 1], cost)
        }
    }
    return row[right.count]
}
