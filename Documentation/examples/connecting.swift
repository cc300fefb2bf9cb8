let clock = ContinuousClock()
func connect() async throws {}
func serve() async {}
