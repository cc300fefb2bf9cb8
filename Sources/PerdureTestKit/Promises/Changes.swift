extension StatePromise { static let changes: [StatePromise] = [] }
