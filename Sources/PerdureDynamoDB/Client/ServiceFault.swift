/// An error that DynamoDB, or another service of AWS, answered with.
struct ServiceFault: Error, Sendable {
    /// The error's name without the namespace before it: `ConditionalCheckFailedException`.
    var name: String
    /// The service's own words; may name tables and attributes, never values of ours.
    var message: String
    var status: Int
    /// What to name to AWS when asking about it.
    var requestID: String?
    /// The service's clock, in Unix milliseconds.
    var date: Int64?
    /// The item that a failed condition was about, where that was asked for.
    var item: Item?
    /// For a cancelled transaction: a reason for each of its actions.
    var reasons: [CancellationReason] = []

    struct CancellationReason: Sendable, Equatable {
        /// `None` where the action was not in the way; `ConditionalCheckFailed`, `TransactionConflict`, ...
        var code: String
        /// The service's own words about it.
        var message: String?
        var item: Item?
    }
}

extension ServiceFault: CustomStringConvertible {
    var description: String {
        var text = "\(self.name) (status \(self.status)"
        if let id = self.requestID { text += ", request \(id)" }
        return text + "): \(self.message)"
    }
}

extension ServiceFault {
    /// Reads the answer to a request that failed.
    ///
    /// What is no error of the service's is one named after the status.
    init(_ answer: HTTPAnswer, _ scratch: JSONScratch) {
        self.init(
            name: "HTTP\(answer.status)",
            message: "the answer has status \(answer.status) and is no error of DynamoDB's",
            status: answer.status, requestID: answer.header("x-amzn-requestid"),
            date: answer.header("date").flatMap { HTTPDate.unixMilliseconds($0) })
        var fault = self
        do throws(AnswerFlaw) {
            try scratch.parse(answer.body) { json throws(AnswerFlaw) in
                guard let type = json["__type"]?.text else { return }
                fault.name = String(type[(type.lastIndex(of: "#").map { type.index(after: $0) } ?? type.startIndex)...])
                fault.message = json["message"]?.text ?? json["Message"]?.text ?? ""
                if let item = json["Item"], !item.isNull { fault.item = try Item(item) }
                guard let reasons = json["CancellationReasons"], !reasons.isNull else { return }
                try reasons.forEachElement { reason throws(AnswerFlaw) in
                    var item: Item?
                    if let json = reason["Item"], !json.isNull { item = try Item(json) }
                    fault.reasons.append(
                        CancellationReason(
                            code: reason["Code"]?.text ?? "None", message: reason["Message"]?.text, item: item))
                }
            }
        } catch {
            // A broken error is still an error; its status says the most important thing.
        }
        self = fault
    }
}

/// The date of an HTTP header, `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
    static func unixMilliseconds(_ text: String) -> Int64? {
        let parts = text.split(separator: " ")
        guard parts.count == 6, parts[5] == "GMT", let day = Int(parts[1]), let year = Int(parts[3]),
            let month = Self.months.firstIndex(of: String(parts[2])), (1...31).contains(day),
            (1970...9999).contains(year)
        else { return nil }
        let time = parts[4].split(separator: ":").compactMap { Int($0) }
        guard time.count == 3, (0..<24).contains(time[0]), (0..<60).contains(time[1]), (0...60).contains(time[2]) else {
            return nil
        }
        let days = SigningTime.day(year: year, month: month + 1, day: day)
        return (days * 86_400 + Int64(time[0] * 3_600 + time[1] * 60 + time[2])) * 1_000
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]
}
