// Three orders: one that goes well, one that nobody takes in, and one whose card is declined at first. See README.md.
import Glibc
import PerdureSQLite

@main
enum Orders {
    static func main() async throws {
        guard let file = CommandLine.arguments.dropFirst().first else {
            print("usage: Orders FILE")
            exit(2)
        }
        let shop = Shop()
        let workflow = fulfilment(by: shop)
        print(workflow.text())

        let store = try SQLiteStore(file)
        let engine = try WorkflowEngine(store: store) { workflow }
        let working = Task { try await engine.run() }

        // An ID of our own makes starting idempotent: on the same file, a second start gives the runs of the first.
        let books = try await engine.start(
            workflow, Order(number: 1, lines: ["two novels", "an atlas"], cents: 6_400), id: "order-1")
        let chair = try await engine.start(workflow, Order(number: 2, lines: ["a chair"], cents: 12_000), id: "order-2")
        await shop.decline(cardOf: "order-3")
        let lamp = try await engine.start(workflow, Order(number: 3, lines: ["a lamp"], cents: 3_900), id: "order-3")

        // The courier comes to the first customer. A signal may come before the run waits for it, and with an ID it counts once.
        try await books.signal("delivered", Handover(to: "Ada"), id: "tour 7")
        print("order-1:", try await books.value)

        // Declined: the run has failed, and everything that went well is recorded. With another card it goes on from there.
        do {
            print("order-3:", try await lamp.value)
        } catch let error as WorkflowError {
            print("order-3: failed at \(error.step ?? "?") with \(error.code.rawValue)")
            await shop.accept(cardOf: "order-3")
            try await engine.retry("order-3")
            try await lamp.signal("delivered", Handover(to: "Cleo"), id: "tour 8")
            print("order-3:", try await lamp.value)
        }

        // Nobody opens the door to the courier: after two seconds the run goes on without the signal.
        print("order-2:", try await chair.value)

        for id in ["order-1", "order-2", "order-3"] {
            guard let steps = try await engine.describe(id)?.steps else { continue }
            let charge = steps.first { $0.id == "charge" }
            print("\(id): \(steps.count) steps are recorded, and charge took \(charge?.attempt ?? 0) attempts")
        }
        working.cancel()
        try await working.value
        await store.disconnect()
    }
}
