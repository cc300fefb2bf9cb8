import PerdureTestKit
import Testing
