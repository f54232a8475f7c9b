// Package api is what is said on a lab's control socket, and who says it: the types of all requests and answers, plain
// structs with their JSON names, and the client. It is all that a tool needs to know of a lab that is up.
//
//	uswitch show fdb -->  Find  -->  Client  -->  /run/uswitch/red-blue.sock  -->  control/server  -->  the world
//	                      the labs   HTTP and JSON
//	                      that are up
//	curl --unix-socket /run/uswitch/red-blue.sock http://uswitch/v1/fdb
//
// Beside its socket a lab has its lock (lock.go), which says whose process it is while it comes up and goes, and both are
// in the user's Directory. InProcess is a Client without a socket.
//
//	GET     /v1/lab             what is up, who runs it, and which API it speaks
//	GET     /v1/plan            all that the lab is made from, as package plan has it: a Plans
//	POST    /v1/apply           makes the lab what another plan says: an ApplyRequest, answered by an ApplyAnswer
//	GET     /v1/logs            what the hosts' commands have written; ?host=RED&tail=10&follow=1, streamed; see LogQuery
//	GET     /v1/hosts           hosts with their namespaces, interfaces and commands
//	GET     /v1/networks        networks with their settings
//	GET     /v1/ports           ports of the switches with their flags and counters
//	GET     /v1/fdb             forwarding tables, with the keys of `bridge -json fdb show`
//	GET     /v1/tunnels         networks' ports to other machines, and what was said of those
//	POST    /v1/tunnels         enters behind which machine a station is: a TunnelEntry; DELETE forgets it
//	GET     /v1/neigh           the gateway's neighbours, with the keys of `ip -json neigh`
//	POST    /v1/neigh           enters a neighbour; DELETE forgets one, or all
//	GET     /v1/routes          the gateway's routes, with the keys of `ip -json route`
//	POST    /v1/routes          adds one; DELETE removes it
//	GET     /v1/devices         network devices as Linux would have them: bridges, veths, the uplink
//	GET     /v1/graph           the lab laid out: a Picture; ?open=GROUP draws the hosts of a folded group one by one, ?open=* all
//	POST    /v1/links           makes a bridge or a cable, a LinkAdd; DELETE, a LinkDelete, removes one
//	POST    /v1/links/set       what ip link set does: a LinkChange
//	POST    /v1/namespaces      makes a namespace by hand, a NamespaceChange; DELETE removes one
//	GET     /v1/drops           how many packets were dropped, for which reason; ?examples=1 with the last of each reason;
//	                            ?follow=1 streams them
//	GET     /v1/conntrack       connections; ?follow=1 streams their changes; see ConnFilter for filters
//	DELETE  /v1/conntrack       forgets those that match
//	GET     /v1/trace           ?format=text|json|pcapng, streamed; see TraceQuery
//	GET     /v1/events          what happens, as server-sent events with ids that can be gone on from: see EventsPath; filters as trace's
//	GET     /v1/step            pauses packets while the client listens; a line for each step they take, see StepQuery, StepEvent
//	POST    /v1/step            lets one go on: a StepRequest
//	GET     /v1/journey         ?packet=7: the steps of a packet that somebody has traced a moment ago
//	GET     /v1/frames          ?device=br0, the frames that pass there, streamed
//	GET     /v1/raw             ?proto=icmp|udp&to=8.8.8.8, a raw socket of the gateway: what comes for it, streamed
//	POST    /v1/raw             sends an IP packet from the gateway
//	GET     /v1/publish         ports that are open to the outside
//	POST    /v1/publish         opens one; DELETE closes it
//	POST    /v1/iptables        {"args": ["-t", "nat", "-S"]}
//	GET     /v1/iptables-save   POST /v1/iptables-restore: text in iptables' form
//	POST    /v1/set             {"kind": "gateway", "values": {"ip_forward": "0"}}
//	POST    /v1/explain         what would become of a packet: a Question, answered by an Answer; ?send=1 sends it as well
//	POST    /v1/why-not         what would let it pass: an Advice
//	GET     /v1/reach           who reaches whom; ?outside=8.8.8.8; ?send=1 has real packets settle it
//	POST    /v1/probes          sends packets from inside hosts: a list of Asked, answered by a list of Sent
//	*       /v1/docker/...      Docker's Engine API, as far as package engine goes
//	POST    /v1/exec            runs a program in a host: see ExecQuery; POST /v1/exec/signal sends it a signal, and POST
//	                            /v1/exec/taken says that its output was passed on
//	POST    /v1/stop            takes the lab down
//
// An answer that is no success has a JSON object with the key error, one sentence, and a fitting HTTP status. Every answer
// carries the header Uswitch-Api; a client that speaks another version says so instead of guessing.
package api
