import PerdureDynamoDB

let store = try DynamoDBRunStore(url: "dynamodb://eu-central-1/workflow_executions")
let engine = try WorkflowEngine(store: store) { fulfilment }
