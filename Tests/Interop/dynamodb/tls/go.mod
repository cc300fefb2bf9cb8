module perdure/interop/dynamodb/tls

go 1.24
