/// How states that were stored as older messages become states of today's message.
///
/// Protobuf itself reads messages with more or fewer fields; migrations are for what it cannot do, when one message replaces
/// another. Versions are told apart by the full names of the messages:
///
/// ```swift
/// try ProtobufStateCodec<Bank_V3_Account>(
///     migrating: .from(Bank_V1_Account.self) { Bank_V2_Account($0) }
///         .then { Bank_V3_Account($0) })
/// ```
///
/// Each migration takes what the one before gives; the compiler checks it, so no link can be missing. Migrations run when a state is
/// read. They must be pure.
public struct ProtobufMigrations<State>: Sendable {
    /// Reads the bytes of one older message as today's state.
    struct Source: Sendable {
        let messageName: String
        let read: @Sendable ([UInt8]) throws -> State
    }

    let sources: [Source]

    /// Begins with the oldest message that may still be stored.
    public static func from<Old: ProtobufMessage, New>(
        _ message: Old.Type, _ migrate: @escaping @Sendable (Old) throws -> New
    ) -> ProtobufMigrations<New> {
        ProtobufMigrations<New>(sources: [ProtobufMigrations<New>.source(message, migrate)])
    }

    /// Goes on from the message that the migrations lead to so far, and reads states stored as that message too.
    public func then<New>(
        _ migrate: @escaping @Sendable (State) throws -> New
    ) -> ProtobufMigrations<New> where State: ProtobufMessage {
        let sources = self.sources.map { source in
            ProtobufMigrations<New>.Source(messageName: source.messageName) { bytes in
                let old = try source.read(bytes)
                do { return try migrate(old) } catch {
                    throw ProtobufMigrationFailure(messageName: State.protoMessageName, underlying: error)
                }
            }
        }
        return ProtobufMigrations<New>(sources: sources + [ProtobufMigrations<New>.source(State.self, migrate)])
    }

    /// Another older message that leads straight to where the migrations lead so far.
    public func also<Old: ProtobufMessage>(
        _ message: Old.Type, _ migrate: @escaping @Sendable (Old) throws -> State
    ) -> ProtobufMigrations {
        ProtobufMigrations(sources: self.sources + [Self.source(message, migrate)])
    }

    private static func source<Old: ProtobufMessage>(
        _ message: Old.Type, _ migrate: @escaping @Sendable (Old) throws -> State
    ) -> Source {
        Source(messageName: Old.protoMessageName) { bytes in
            let old = try Old(protobufBytes: bytes)
            do { return try migrate(old) } catch {
                throw ProtobufMigrationFailure(messageName: Old.protoMessageName, underlying: error)
            }
        }
    }
}

/// What a migration threw, told apart from what a message threw.
struct ProtobufMigrationFailure: Error {
    let messageName: String
    let underlying: any Error
}
