internal import CYYJSON

/// Something in an answer is not as it should be.
///
/// Says what, never with the answer's own bytes.
struct AnswerFlaw: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

/// Memory that one answer after another is parsed into, so that parsing allocates nothing.
final class JSONScratch {
    private let memory: UnsafeMutableRawPointer
    private let size = 256 << 10

    init() { self.memory = .allocate(byteCount: self.size, alignment: 16) }
    deinit { self.memory.deallocate() }

    /// Room that a parsed answer must have behind its bytes.
    static var padding: Int { cyyjson_padding() }

    /// Parses `text` in place and lends its root to `body`.
    ///
    /// `text` is changed by it, and must have room for ``padding`` more bytes behind it.
    ///
    /// - Throws: ``AnswerFlaw`` when it is no JSON.
    func parse<Answer>(
        _ text: UnsafeMutableRawBufferPointer, _ body: (JSONValue) throws(AnswerFlaw) -> Answer
    ) throws(AnswerFlaw) -> Answer {
        guard text.count > 0, let start = text.baseAddress?.assumingMemoryBound(to: CChar.self) else {
            throw AnswerFlaw("the answer is empty")
        }
        // It reads on to a zero, not to the end: what an earlier answer left there would be taken for more of this one.
        (UnsafeMutableRawPointer(start) + text.count).initializeMemory(
            as: UInt8.self, repeating: 0, count: Self.padding)
        let flags = cyyjson_insitu()
        var failure = yyjson_read_err()
        let document: UnsafeMutablePointer<yyjson_doc>?
        if yyjson_read_max_memory_usage(text.count, flags) <= self.size {
            var allocator = yyjson_alc()
            yyjson_alc_pool_init(&allocator, self.memory, self.size)
            document = yyjson_read_opts(start, text.count, flags, &allocator, &failure)
            guard let document else { throw Self.flaw(failure) }
            // Nothing to free: the memory is used anew.
            return try body(try Self.root(document))
        }
        document = yyjson_read_opts(start, text.count, flags, nil, &failure)
        guard let document else { throw Self.flaw(failure) }
        defer { yyjson_doc_free(document) }
        return try body(try Self.root(document))
    }

    private static func root(_ document: UnsafeMutablePointer<yyjson_doc>) throws(AnswerFlaw) -> JSONValue {
        guard let root = yyjson_doc_get_root(document) else { throw AnswerFlaw("the answer has no JSON value") }
        return JSONValue(pointer: root)
    }

    private static func flaw(_ failure: yyjson_read_err) -> AnswerFlaw {
        AnswerFlaw("the answer is no JSON: \(String(cString: failure.msg)) at byte \(failure.pos)")
    }
}

/// A value of a parsed answer.
///
/// Valid only while the answer is lent.
struct JSONValue {
    fileprivate let pointer: UnsafeMutablePointer<yyjson_val>

    /// How many members or elements it has.
    var count: Int {
        yyjson_is_obj(self.pointer) ? yyjson_obj_size(self.pointer) : yyjson_arr_size(self.pointer)
    }

    var bool: Bool? { yyjson_is_bool(self.pointer) ? yyjson_get_bool(self.pointer) : nil }
    /// A whole number; nil for others, those out of range among them.
    var int: Int? { self.double.flatMap { Int(exactly: $0) } }
    var double: Double? { yyjson_is_num(self.pointer) ? yyjson_get_num(self.pointer) : nil }
    var isNull: Bool { yyjson_is_null(self.pointer) }

    /// The bytes of a string.
    var utf8: UnsafeBufferPointer<UInt8>? {
        guard let text = yyjson_get_str(self.pointer) else { return nil }
        let count = yyjson_get_len(self.pointer)
        return text.withMemoryRebound(to: UInt8.self, capacity: count) {
            UnsafeBufferPointer(start: $0, count: count)
        }
    }

    var text: String? { self.utf8.map { String(decoding: $0, as: UTF8.self) } }

    func string() throws(AnswerFlaw) -> String {
        guard let text = self.text else { throw AnswerFlaw("a text is missing") }
        return text
    }

    func binary() throws(AnswerFlaw) -> [UInt8] {
        guard let text = self.utf8, let bytes = Base64.decode(UnsafeRawBufferPointer(text)) else {
            throw AnswerFlaw("a binary value is no base64")
        }
        return bytes
    }

    func strings() throws(AnswerFlaw) -> [String] {
        var texts: [String] = []
        try self.forEachElement { element throws(AnswerFlaw) in texts.append(try element.string()) }
        return texts
    }

    /// The member under `name`; nil when there is none, or this is no object.
    subscript(name: StaticString) -> JSONValue? {
        name.utf8Start.withMemoryRebound(to: CChar.self, capacity: name.utf8CodeUnitCount) {
            yyjson_obj_getn(self.pointer, $0, name.utf8CodeUnitCount).map { JSONValue(pointer: $0) }
        }
    }

    /// Name and value of an object that has exactly one member.
    var onlyMember: (name: UnsafeBufferPointer<UInt8>, value: JSONValue)? {
        guard yyjson_is_obj(self.pointer), yyjson_obj_size(self.pointer) == 1,
            let key = unsafe_yyjson_get_first(self.pointer),
            let name = JSONValue(pointer: key).utf8, !name.isEmpty
        else { return nil }
        return (name, JSONValue(pointer: key + 1))
    }

    /// Visits the members of an object.
    ///
    /// - Throws: ``AnswerFlaw`` when this is none.
    func forEachMember(
        _ visit: (UnsafeBufferPointer<UInt8>, JSONValue) throws(AnswerFlaw) -> Void
    ) throws(AnswerFlaw) {
        guard yyjson_is_obj(self.pointer) else { throw AnswerFlaw("an object is missing") }
        var iterator = yyjson_obj_iter()
        guard yyjson_obj_iter_init(self.pointer, &iterator) else { return }
        while let key = yyjson_obj_iter_next(&iterator), let value = yyjson_obj_iter_get_val(key) {
            guard let name = JSONValue(pointer: key).utf8 else { continue }
            try visit(name, JSONValue(pointer: value))
        }
    }

    /// Visits the elements of an array.
    ///
    /// - Throws: ``AnswerFlaw`` when this is none.
    func forEachElement(_ visit: (JSONValue) throws(AnswerFlaw) -> Void) throws(AnswerFlaw) {
        guard yyjson_is_arr(self.pointer) else { throw AnswerFlaw("an array is missing") }
        var iterator = yyjson_arr_iter()
        guard yyjson_arr_iter_init(self.pointer, &iterator) else { return }
        while let element = yyjson_arr_iter_next(&iterator) { try visit(JSONValue(pointer: element)) }
    }
}
