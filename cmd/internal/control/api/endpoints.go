package api

// Endpoint is something that can be asked of a lab. Request and Answer are values of the types of its bodies: nil for nothing that
// anybody needs to read, a string for text, a []byte for bytes that have a form of their own.
type Endpoint struct {
	Method, Path string
	About        string
	Query        []string // keys; one that ends in * may be given several times
	Request      any
	Answer       any
	Streamed     string // the type of an answer that goes on: lines of JSON, events, or what the format asked for is
}

// How answers go on.
const (
	lines  = "application/x-ndjson"
	sse    = "text/event-stream"
	binary = "application/octet-stream"
)

// filters are those of a trace.
func filters(more ...string) []string {
	return append([]string{"host*", "from*", "port", "proto", "hook*", "drops"}, more...)
}

var conns = []string{"proto", "orig-src", "orig-dst", "reply-src", "reply-dst", "family", "sport", "dport", "src-nat", "dst-nat"}

// OpenAPIPath is where a lab describes its API, as OpenAPI does.
const OpenAPIPath = "/v1/openapi.json"

// Endpoints lists all that can be asked, but for Docker's Engine API below DockerPath, which is described by Docker.
var Endpoints = []Endpoint{
	{Method: "GET", Path: OpenAPIPath, About: "this API, as OpenAPI", Answer: map[string]any(nil)},
	{Method: "GET", Path: "/v1/lab", About: "what is up, who runs it, and which API it speaks", Answer: Lab{}},
	{Method: "GET", Path: "/v1/plan", About: "all that the lab is made from", Answer: Plans[any]{}},
	{Method: "POST", Path: ApplyPath,
		About: "makes the lab what another plan says", Request: ApplyRequest[any]{}, Answer: ApplyAnswer{}},
	{Method: "GET", Path: "/v1/logs",
		About: "what the hosts' commands have written",
		Query: []string{"host*", "tail", "follow"}, Answer: LogLine{}, Streamed: lines},
	{Method: "GET", Path: "/v1/hosts", About: "hosts with their namespaces, interfaces and commands", Answer: []Host{}},
	{Method: "GET", Path: "/v1/networks", About: "networks with their settings", Answer: []Network{}},
	{Method: "GET", Path: "/v1/ports", About: "ports of the switches with their flags and counters", Answer: []Port{}},
	{Method: "GET", Path: "/v1/fdb",
		About: "forwarding tables, with the keys of bridge -json fdb show", Answer: []FDBEntry{}},
	{Method: "DELETE", Path: "/v1/fdb", About: "forgets what the switches have learned", Request: FDBFlush{}},
	{Method: "GET", Path: "/v1/tunnels",
		About: "networks' ports to other machines, and what was said of those", Answer: []Tunnel{}},
	{Method: "POST", Path: "/v1/tunnels", About: "enters behind which machine a station is", Request: TunnelEntry{}},
	{Method: "DELETE", Path: "/v1/tunnels", About: "forgets behind which machine a station is", Request: TunnelEntry{}},
	{Method: "GET", Path: "/v1/neigh",
		About: "the gateway's neighbours, with the keys of ip -json neigh", Answer: []Neighbor{}},
	{Method: "POST", Path: "/v1/neigh", About: "enters a neighbour", Request: NeighborChange{}},
	{Method: "DELETE", Path: "/v1/neigh", About: "forgets one neighbour, or all", Request: NeighborChange{}},
	{Method: "GET", Path: "/v1/routes",
		About: "the gateway's routes, with the keys of ip -json route", Answer: []Route{}},
	{Method: "POST", Path: "/v1/routes", About: "adds a route", Request: RouteChange{}},
	{Method: "DELETE", Path: "/v1/routes", About: "removes a route", Request: RouteChange{}},
	{Method: "POST", Path: "/v1/addresses",
		About: "gives an interface of the gateway an address", Request: AddressChange{}},
	{Method: "DELETE", Path: "/v1/addresses", About: "takes one away", Request: AddressChange{}},
	{Method: "GET", Path: "/v1/devices",
		About: "network devices as Linux would have them: bridges, veths, the uplink", Answer: []Device{}},
	{Method: "GET", Path: "/v1/graph",
		About: "the lab laid out; open draws the hosts of a folded group one by one, * of all",
		Query: []string{"open*"}, Answer: Picture{}},
	{Method: "POST", Path: "/v1/links", About: "makes a bridge or a cable", Request: LinkAdd{}},
	{Method: "POST", Path: "/v1/links/set", About: "what ip link set does", Request: LinkChange{}},
	{Method: "DELETE", Path: "/v1/links", About: "removes a bridge or a cable", Request: LinkDelete{}},
	{Method: "POST", Path: "/v1/namespaces", About: "makes a namespace by hand", Request: NamespaceChange{}},
	{Method: "DELETE", Path: "/v1/namespaces", About: "removes one that was made by hand", Request: NamespaceChange{}},
	{Method: "GET", Path: "/v1/drops",
		About: "how many packets were dropped, for which reason; examples=1 with the last of each, follow=1 as they come",
		Query: []string{"examples", "follow"}, Answer: []Drop{}},
	{Method: "GET", Path: "/v1/conntrack",
		About: "connections; follow=1 their changes as they come",
		Query: append([]string{"follow"}, conns...), Answer: []Conn{}},
	{Method: "DELETE", Path: "/v1/conntrack",
		About: "forgets the connections that match", Query: conns, Answer: Count{}},
	{Method: "GET", Path: "/v1/trace",
		About: "steps of packets as they come; format is text, json or pcapng",
		Query: filters("format", "colour", "no-fold", "width", "snap"), Answer: []byte{}, Streamed: binary},
	{Method: "GET", Path: EventsPath,
		About: "what happens, as server-sent events (hello, journey, note, gap) with ids that can be gone on from",
		Query: filters("no-fold", "after"), Answer: Journey{}, Streamed: sse},
	{Method: "GET", Path: PastPath,
		About: "the tables as they were when a packet passed, while somebody followed the events",
		Query: []string{"time"}, Answer: Past{}},
	{Method: "POST", Path: CapturedPath,
		About: "tells a pcapng file that uswitch has written as journeys", Request: []byte{}, Answer: Captured{}},
	{Method: "GET", Path: "/v1/step",
		About: "pauses packets while the client listens; a line for each step they take",
		Query: filters("max", "patience"), Answer: StepEvent{}, Streamed: lines},
	{Method: "POST", Path: "/v1/step", About: "lets a paused packet go on", Request: StepRequest{}},
	{Method: "GET", Path: "/v1/journey",
		About: "the steps of a packet that somebody has traced a moment ago",
		Query: []string{"packet"}, Answer: []Step{}},
	{Method: "GET", Path: "/v1/frames",
		About: "the frames that pass at a device", Query: []string{"device"}, Answer: Frame{}, Streamed: lines},
	{Method: "GET", Path: RawPath,
		About: "a raw socket of the gateway: what comes for it",
		Query: []string{"proto", "to"}, Answer: RawPacket{}, Streamed: lines},
	{Method: "POST", Path: RawPath,
		About: "sends an IP packet from the gateway", Request: RawPacket{}, Answer: RawPacket{}},
	{Method: "POST", Path: RawWaitPath,
		About: "waits in virtual time for what comes for a raw socket", Request: RawWait{}, Answer: RawPacket{}},
	{Method: "GET", Path: "/v1/publish", About: "ports that are open to the outside", Answer: []Published{}},
	{Method: "POST", Path: "/v1/publish", About: "opens a port", Request: PublishRequest{}, Answer: []Published{}},
	{Method: "DELETE", Path: "/v1/publish", About: "closes ports", Request: PublishRequest{}, Answer: Count{}},
	{Method: "POST", Path: "/v1/iptables",
		About: "runs a command of iptables",
		Query: []string{"family"}, Request: IptablesRequest{}, Answer: IptablesAnswer{}},
	{Method: "GET", Path: "/v1/iptables-save",
		About: "the rules in iptables' form", Query: []string{"family", "table", "counters"}, Answer: ""},
	{Method: "POST", Path: "/v1/iptables-restore",
		About: "takes over rules in iptables' form",
		Query: []string{"family", "table", "noflush", "counters", "test"}, Request: ""},
	{Method: "POST", Path: "/v1/set",
		About: "changes settings of the gateway, a network, a port or a tunnel", Request: SetRequest{}},
	{Method: "POST", Path: "/v1/explain",
		About: "what would become of a packet; send=1 sends it as well",
		Query: []string{"send"}, Request: Question{}, Answer: Answer{}},
	{Method: "POST", Path: "/v1/why-not", About: "what would let it pass", Request: Question{}, Answer: Advice{}},
	{Method: "GET", Path: "/v1/reach",
		About: "who reaches whom; send=1 has real packets settle it",
		Query: []string{"outside", "send"}, Answer: Matrix{}},
	{Method: "POST", Path: "/v1/probes", About: "sends packets from inside hosts", Request: []Asked{}, Answer: []Sent{}},
	{Method: "POST", Path: ExecPath,
		About: "runs a program in a host; the body is what it reads",
		Query: []string{"id", "host", "arg*", "env*", "dir", "person"}, Request: []byte{}, Answer: ExecOutput{}, Streamed: lines},
	{Method: "POST", Path: ExecPath + "/signal", About: "sends it a signal", Request: ExecSignal{}},
	{Method: "POST", Path: ExecTakenPath, About: "says that its output was passed on", Request: ExecTaken{}},
	{Method: "POST", Path: "/v1/stop", About: "takes the lab down"},
}
