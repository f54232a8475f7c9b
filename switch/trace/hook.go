package trace

//go:generate go tool stringer -type Hook,Verdict,Reason -linecomment -output names.go

// Hook is a place on the path where something is decided. The five netfilter names mean what they mean in Linux:
//
//	       network or uplink                                            network or uplink
//	              |                                                             ^
//	           ingress                                                        egress
//	              v                                                             |
//	learn > bridge > arp    prerouting > route > forward > postrouting > neighbor
//	                                       |                    ^
//	                                       v                    |
//	                                     input               output
//	                                       +---- the gateway ---+
type Hook uint8

// The hooks, in the order in which a packet can meet them. The zero value is invalid.
const (
	Ingress     Hook = iota + 1 // ingress
	Learn                       // learn
	Bridge                      // bridge
	ARP                         // arp
	Prerouting                  // prerouting
	Route                       // route
	Input                       // input
	Forward                     // forward
	Output                      // output
	Postrouting                 // postrouting
	Neighbor                    // neighbor
	Egress                      // egress

	hookEnd
)

// Verdict is what was done with the packet at a hook. The zero value is invalid.
type Verdict uint8

// The verdicts.
const (
	Accept  Verdict = iota + 1 // accept
	Unicast                    // forward
	Flood                      // flood
	Local                      // local
	Rewrite                    // rewrite
	Queue                      // queue
	Consume                    // consume
	Drop                       // drop

	verdictEnd
)

// Hooks returns every hook in order.
func Hooks() []Hook {
	all := make([]Hook, 0, hookEnd-1)
	for h := Ingress; h < hookEnd; h++ {
		all = append(all, h)
	}
	return all
}

// ParseHook finds a hook by its name.
func ParseHook(name string) (Hook, bool) {
	for h := Ingress; h < hookEnd; h++ {
		if h.String() == name {
			return h, true
		}
	}
	return 0, false
}
