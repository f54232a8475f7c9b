package trace

// Note is what a step found where the verdict alone would not say it: the case that decided. Like Reason the list is
// closed, and the sentence that a person reads is made from the note and the event's fields.
type Note uint8

// The notes. The zero value means that the verdict says it all.
const (
	NoNote Note = iota

	// Learn.
	Learned // MAC lives behind Port
	Moved   // MAC has moved from From to Port, and Count times since that was last told
	FDBFull // MAC is not remembered: the table is full
	Looped  // MAC, which was behind From before, is heard behind Ports by turns

	AddressConflict // MAC behind Port claims Addr, which Other behind From claimed Age ago; Count such before it were not told

	// Bridge.
	Known            // Port only; learned Age ago
	Static           // Port only; configured
	UnknownUnicast   // everyone: MAC's place is not known
	BroadcastFrame   // everyone
	MulticastFrame   // everyone: a group
	NothingLearned   // everyone: this network remembers no station
	GatewayAddress   // MAC is the gateway's own address
	SegmentsTogether // Count segments travel as one frame

	// Tunnels. The other machine is Outer's far end.
	TunnelLearned // MAC was learned from there, Age ago
	TunnelStatic  // MAC is there by configuration
	TunnelFlood   // to all Count peers: MAC is a group, or nobody knows it
	TunnelHeard   // MAC is known to live there
	TunnelNew     // MAC lives there, which nobody has known
	TunnelMoved   // MAC lives there now; before it was at Addr
	TunnelFull    // MAC is not remembered: the table is full

	// ARP at the gateway.
	ARPAnswered     // Addr is mine
	ARPProbed       // somebody tries out my address Addr: answered, so that it does not take it
	ARPNotMine      // Addr is somebody else's
	ARPLearned      // Addr noted as MAC
	ARPHeard        // Addr, known, says again where it is
	ARPIgnored      // an answer that nobody asked for, about an unknown neighbour
	ARPConflict     // MAC claims the gateway's own Addr
	ARPDefended     // and the gateway has just said again whose it is
	ARPAnnounced    // the gateway tells everyone its own address
	NeighborKnown   // Addr is at MAC, known for Age
	NeighborStatic  // Addr is at MAC by configuration
	NeighborAsked   // Addr unknown: who-has sent, the packet waits
	NeighborWaiting // Addr unknown: somebody asked already, the packet waits
	NeighborSent    // the answer came: the packet goes on to MAC
	NeighborProbe   // the entry is old: asked again whether Addr is still at MAC

	// Neighbour discovery at the gateway, besides what is as in ARP.
	NeighborGroup    // a group, whose MAC is made of its address
	MLDHeard         // somebody says which groups it listens to
	RouterAsked      // Addr asks for a router: told
	RouterSilent     // Addr asks for a router, and none is told here
	RouterAdvertised // the gateway tells hosts what they configure themselves with

	// The gateway's own.
	EchoAnswered // an echo request to the gateway
	Originated   // the gateway itself sends it
	ErrorSent    // the gateway tells the sender what went wrong
	MachineError // and does so on the word of this machine, whose stack could not deliver what had left
	Delivered    // for the gateway itself

	// Connections and translation.
	ConnNew         // first packet of Conn
	ConnOriginal    // a further packet of Conn in its first direction
	ConnReply       // an answer of Conn
	ConnRelated     // an ICMP error about Conn
	ConnUntracked   // cannot be tracked: passes as it is
	NoRuleChanged   // no rule of this chain translates it
	ReplyTranslated // translated back by Conn's reply tuple
	SameTranslation // translated as Conn's first packet was
	MSSLimited      // TCPMSS: the segments that a SYN offers to take, Size bytes, become Count
	Logged          // a LOG rule, Rule, took note of it

	// Routes.
	RouteConnected // Addr is on the network Port
	RouteDefault   // not on any network here: the default route
	RoutePrefix    // Prefix matched

	// Fragments.
	Reassembled    // Count fragments are one packet again
	FragmentHeld   // waits for the others
	FragmentedInto // cut into Count fragments

	// The ways out.
	UplinkSent     // handed to the outside
	UplinkReceived // came from the outside
	UplinkMachine  // came from this machine itself, for which Addr stands
	UplinkAccepted // either, to begin a connection whose client this machine's listening socket has connected already
	Segmented      // the uplink cut it into Count packets

	noteEnd
)
