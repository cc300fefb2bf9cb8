extension StatePromise { static let listing: [StatePromise] = [] }
