import PerdureWorkflow

/// How the passengers of a late or cancelled flight are looked after.
///
/// Assess the case; find seats and issue vouchers side by side; make an offer of both; wait for the airline's confirmation, but not for
/// ever; settle.
func careWorkflow(desk: CareDesk, patience: Duration) -> Workflow<Incident, Settlement> {
    Workflow(
        "passenger-care",
        configuration: WorkflowConfiguration(retry: .exponential(attempts: 5, delay: .milliseconds(20)))
    ) {
        Step("assess") { (incident: Incident) in
            switch incident.cause {
            case .cancelled: Entitlement(incident: incident, voucher: 400, needsHotel: true)
            case .late(let minutes): Entitlement(incident: incident, voucher: minutes, needsHotel: minutes >= 300)
            }
        }
        Parallel {
            Step("rebook") { (entitlement: Entitlement, context: StepContext) in
                try await desk.rebook(entitlement, context)
            }
            Step("voucher") { (entitlement: Entitlement, context: StepContext) in
                try await desk.issueVoucher(entitlement, context)
            }
            Step("case") { (entitlement: Entitlement) in entitlement.incident.line }
        }
        Join("offer") { (rebooking: Rebooking, voucher: Voucher, line: Int) in
            Offer(line: line, rebooking: rebooking, voucher: voucher)
        }
        WaitForSignal("airline", Confirmation.self, timeout: patience) {
            (offer: Offer, confirmation: Confirmation?, context: StepContext) in
            try await desk.settle(offer, confirmation, context)
        }
    }
}
