import PerdureState

let payload = StatePayload(manifest: "text/plain", bytes: [])
