/// Days since the beginning of 1970; most rows have the date of the row before, which is remembered.
struct Calendar {
    private var last = (year: 1970, month: 1, day: 1, number: 0)

    mutating func dayNumber(year: Int, month: Int, day: Int) throws(RowFault) -> Int {
        if self.last.day == day, self.last.month == month, self.last.year == year { return self.last.number }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[month - 1] else {
            throw RowFault("day is \(day), but month \(month) of \(year) has \(lengths[month - 1]) days")
        }
        let before = year - 1
        let leapDays = before / 4 - before / 100 + before / 400
        let number = (year - 1970) * 365 + leapDays - 477 + lengths[..<(month - 1)].reduce(0, +) + day - 1
        self.last = (year, month, day, number)
        return number
    }
}
