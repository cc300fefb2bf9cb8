extension StatePromise { static let batching: [StatePromise] = [] }
