package trace_test

import (
	"time"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

var (
	brPorts = []string{"BLUE", "RED"}
	zero    frame.MAC
)

// firstPing is RED's first ping of BLUE: question, answer, echo.
func firstPing() []trace.Event {
	ask := walk{packet: 1, time: start, data: arp(redMAC, frame.Broadcast, frame.ARPRequest, redMAC, red, zero, blue)}
	ask.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: "RED"})
	ask.step(trace.Learn, trace.Accept, "br0", trace.Event{Port: "RED", Note: trace.Learned, MAC: redMAC})
	ask.step(trace.Bridge, trace.Flood, "br0", trace.Event{Port: "RED", Ports: brPorts, Local: true, Note: trace.BroadcastFrame, MAC: frame.Broadcast})
	ask.step(trace.ARP, trace.Accept, "gateway", trace.Event{Note: trace.ARPLearned, Addr: red, MAC: redMAC})
	ask.step(trace.ARP, trace.Consume, "gateway", trace.Event{Note: trace.ARPNotMine, Addr: blue})
	ask.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "BLUE"})

	answer := walk{packet: 2, time: start.Add(400 * time.Microsecond), data: arp(blueMAC, redMAC, frame.ARPReply, blueMAC, blue, redMAC, red)}
	answer.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: "BLUE"})
	answer.step(trace.Learn, trace.Accept, "br0", trace.Event{Port: "BLUE", Note: trace.Learned, MAC: blueMAC})
	answer.step(trace.Bridge, trace.Unicast, "br0", trace.Event{Port: "RED", Note: trace.Known, MAC: redMAC, Age: 400 * time.Microsecond})
	answer.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "RED"})

	ping := walk{packet: 3, time: start.Add(600 * time.Microsecond), data: ethernet(redMAC, blueMAC, frame.TypeIPv4, echo(frame.ICMPEcho, 64, red, blue, 7, 1))}
	ping.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: "RED"})
	ping.step(trace.Bridge, trace.Unicast, "br0", trace.Event{Port: "BLUE", Note: trace.Known, MAC: blueMAC, Age: 200 * time.Microsecond})
	ping.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "BLUE"})
	return append(append(ask.events, answer.events...), ping.events...)
}

// pingOut is RED asking 8.8.8.8, and the answer, which FORWARD's policy does not let in.
func pingOut() []trace.Event {
	const conn = 3
	inside, outside := icmpTuple(red, google, 7), icmpTuple(out, google, 7)
	w := walk{packet: 9, time: start, data: ethernet(redMAC, gwMAC, frame.TypeIPv4, echo(frame.ICMPEcho, 64, red, google, 7, 1))}
	w.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: "RED"})
	w.step(trace.Bridge, trace.Local, "br0", trace.Event{Port: "RED", Note: trace.GatewayAddress, MAC: gwMAC})
	w.step(trace.Prerouting, trace.Accept, "gateway", trace.Event{Note: trace.NoRuleChanged, Conn: conn, Before: inside})
	w.step(trace.Route, trace.Accept, "gateway", trace.Event{Note: trace.RouteDefault, Addr: google, Port: "uplink", Conn: conn, Before: inside})
	frame.IPv4(w.data[frame.EthernetHeader:]).DecrementTTL()
	w.step(trace.Forward, trace.Accept, "gateway", trace.Event{Conn: conn, Before: inside,
		Rule: "-A FORWARD -s 11.11.11.0/24 -j ACCEPT", Chain: "FORWARD", Target: "ACCEPT"})
	w.data, w.ip = echo(frame.ICMPEcho, 63, out, google, 7, 1), true
	w.step(trace.Postrouting, trace.Rewrite, "gateway", trace.Event{Conn: conn, Before: inside, After: outside,
		Rule: "-A POSTROUTING -s 11.11.11.0/24 ! -o br0 -j MASQUERADE", Chain: "POSTROUTING", Target: "MASQUERADE"})
	w.step(trace.Egress, trace.Accept, "uplink", trace.Event{Note: trace.UplinkSent, Conn: conn, Before: outside})

	back := walk{packet: 10, time: start.Add(12 * time.Millisecond), data: echo(frame.ICMPEchoReply, 62, google, out, 7, 1), ip: true}
	back.step(trace.Ingress, trace.Accept, "uplink", trace.Event{Note: trace.UplinkReceived})
	back.data = echo(frame.ICMPEchoReply, 62, google, red, 7, 1)
	back.step(trace.Prerouting, trace.Rewrite, "gateway", trace.Event{Note: trace.ReplyTranslated, Conn: conn,
		Before: outside.Reply(), After: inside.Reply()})
	back.step(trace.Route, trace.Accept, "gateway", trace.Event{Note: trace.RouteConnected, Addr: red, Port: "br0", Prefix: br0, Conn: conn, Before: inside.Reply()})
	back.step(trace.Forward, trace.Drop, "gateway", trace.Event{Reason: trace.PolicyDrop, Conn: conn, Before: inside.Reply(),
		Rule: "-P FORWARD DROP", Chain: "FORWARD", Target: "DROP", Prefix: br0})
	return append(w.events, back.events...)
}

// waiting is a packet to a neighbour that the gateway must ask for first.
func waiting() []trace.Event {
	data := ethernet(gwMAC, zero, frame.TypeIPv4, ipv4(frame.ProtoTCP, 63, google, blue, tcp(443, 40000, 7, 0, frame.SYN, nil)))
	w := walk{packet: 5, time: start, data: data}
	w.step(trace.Neighbor, trace.Queue, "gateway", trace.Event{Note: trace.NeighborAsked, Addr: blue, Port: "br0"})
	ask := walk{packet: 6, time: start, data: arp(gwMAC, frame.Broadcast, frame.ARPRequest, gwMAC, gw, zero, blue)}
	ask.step(trace.ARP, trace.Accept, "gateway", trace.Event{Note: trace.Originated})
	ask.step(trace.Bridge, trace.Flood, "br0", trace.Event{Ports: brPorts, Note: trace.BroadcastFrame})
	ask.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "BLUE"})
	ask.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "RED"})
	answer := walk{packet: 7, time: start.Add(time.Millisecond), data: arp(blueMAC, gwMAC, frame.ARPReply, blueMAC, blue, gwMAC, gw)}
	answer.step(trace.Ingress, trace.Accept, "br0", trace.Event{Port: "BLUE"})
	answer.step(trace.Bridge, trace.Local, "br0", trace.Event{Note: trace.GatewayAddress, MAC: gwMAC})
	frame.Ethernet(w.data).SetHeader(blueMAC, gwMAC, frame.TypeIPv4)
	w.time = answer.time
	parked := len(w.events)
	w.step(trace.Neighbor, trace.Accept, "gateway", trace.Event{Note: trace.NeighborSent, Addr: blue, MAC: blueMAC, Port: "br0"})
	w.step(trace.Egress, trace.Accept, "br0", trace.Event{Port: "BLUE"})
	answer.step(trace.ARP, trace.Consume, "gateway", trace.Event{Note: trace.ARPLearned, Addr: blue, MAC: blueMAC})

	// The parked packet goes on while the answer is still being looked at.
	events := append(w.events[:parked:parked], ask.events...)
	events = append(events, answer.events[:2]...)
	events = append(events, w.events[parked:]...)
	return append(events, answer.events[2:]...)
}

// publish is a client outside who reaches BLUE through a published port, with a rule too long for any line.
func publish() []trace.Event {
	before, after := flowTuple(frame.ProtoTCP, "203.0.113.9:50211", "192.168.104.2:8080"), flowTuple(frame.ProtoTCP, "203.0.113.9:50211", "11.11.11.3:80")
	w := walk{packet: 21, time: start, ip: true,
		data: ipv4(frame.ProtoTCP, 61, before.Src(), before.Dst(), tcp(50211, 8080, 1000, 0, frame.SYN, nil))}
	w.step(trace.Ingress, trace.Accept, "uplink", trace.Event{Note: trace.UplinkReceived})
	w.step(trace.Prerouting, trace.Rewrite, "gateway", trace.Event{Conn: 12, Before: before, After: after, Target: "DNAT", Chain: "DOCKER", Note: trace.ConnNew,
		Rule: "-A DOCKER ! -i br0 -p tcp -m tcp --dport 8080 -m comment --comment \"web for everybody\" -j DNAT --to-destination 11.11.11.3:80"})
	w.data = ipv4(frame.ProtoTCP, 60, after.Src(), after.Dst(), tcp(50211, 80, 1000, 0, frame.SYN, nil))
	w.step(trace.Forward, trace.Drop, "gateway", trace.Event{Conn: 12, Reason: trace.RuleReject, Chain: "DOCKER-USER", Target: "REJECT",
		Rule: "-A DOCKER-USER -s 203.0.113.0/24 -p tcp -m conntrack --ctstate NEW -j REJECT --reject-with tcp-reset"})
	return w.events
}
