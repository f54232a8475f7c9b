package step

import (
	"context"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// QuestionOf makes a question of a packet that came by: who asked whom for what. Where the packet was not the first of its connection, a
// first one takes its place, which note says.
func QuestionOf(ctx context.Context, lab *api.Client, steps []api.Step) (q api.Question, note string, err error) {
	first := &steps[0]
	cannot := func(why string) (api.Question, string, error) {
		return q, "", fmt.Errorf("packet %d (%s): %s", first.Packet, first.Summary, why)
	}
	data := first.Data
	if !first.IP {
		eth, ok := frame.ParseEthernet(data)
		if !ok || eth.Type() != frame.TypeIPv4 {
			return cannot("only packets of IPv4 can be asked about")
		}
		data = eth.Payload()
	}
	ip := frame.IP(data)
	if len(data) < frame.IPv4Header || !ip.Is4() || len(data) < ip.HeaderLen() {
		return cannot("only packets of IPv4 can be asked about")
	}
	tuple, ok := ip.Tuple()
	if !ok || ip.FragmentOffset() != 0 {
		return cannot("a later fragment does not say what it is part of")
	}
	q = api.Question{To: tuple.Dst().String(), Port: tuple.DstPort, FromPort: tuple.SrcPort}
	switch payload := ip.Payload(); {
	case tuple.Proto == frame.ProtoTCP && len(payload) > 13:
		q.Protocol = "tcp"
		if flags := frame.TCPFlags(payload[13]); flags&(frame.SYN|frame.ACK) != frame.SYN {
			note = notFirst
		}
	case tuple.Proto == frame.ProtoUDP:
		q.Protocol = "udp"
	case tuple.Proto == frame.ProtoICMP && len(payload) >= frame.ICMPHeader && frame.ICMP(payload).Type() == frame.ICMPEcho:
		q.Protocol, q.Port, q.FromPort = "icmp", 0, 0
		q.Size = first.Length - frame.IPv4Header - frame.ICMPHeader
		if !first.IP {
			q.Size -= frame.EthernetHeader
		}
		q.DontFragment = frame.IPv4(ip).DontFragment()
	default:
		return cannot("want a ping, or a packet of TCP or UDP: answers and errors are not asked for by themselves")
	}
	q.From, err = sender(ctx, lab, first, tuple.Src())
	if err == nil && note == "" && isAnswer(ctx, lab, steps, tuple) {
		note = notFirst
	}
	if err != nil {
		return q, "", err
	}
	if q.From == "" {
		return cannot(fmt.Sprintf("nobody in the lab has the address %v any more, or ever had it", tuple.Src()))
	}
	return q, note, nil
}

const notFirst = "It was not the first of its connection: what follows is of a first packet with its addresses and ports"

// isAnswer reports whether a packet answers one that began a connection which is still there.
func isAnswer(ctx context.Context, lab *api.Client, steps []api.Step, t frame.Tuple) bool {
	var conns []api.Conn
	if lab.Get(ctx, "/v1/conntrack", nil, &conns) != nil {
		return false
	}
	return slices.ContainsFunc(conns, func(c api.Conn) bool {
		return c.Reply.Src == t.Src() && c.Reply.Sport == t.SrcPort && c.Original.Src != t.Src() && slices.ContainsFunc(steps, func(s api.Step) bool { return s.Conn == c.ID })
	})
}

// sender finds who has sent a packet, by its source address and where it came in; empty: nobody is known.
func sender(ctx context.Context, lab *api.Client, first *api.Step, src netip.Addr) (string, error) {
	var hosts []api.Host
	var networks []api.Network
	if err := lab.Get(ctx, "/v1/hosts", nil, &hosts); err != nil {
		return "", err
	}
	if err := lab.Get(ctx, "/v1/networks", nil, &networks); err != nil {
		return "", err
	}
	for _, h := range hosts {
		if slices.ContainsFunc(h.Interfaces, func(i api.Interface) bool { return i.Address.IsValid() && i.Address.Addr() == src }) {
			return h.Name, nil
		}
	}
	bridged := slices.ContainsFunc(networks, func(n api.Network) bool { return n.Name == first.Place })
	switch {
	case first.Hook == trace.Output.String():
		return api.Machine, nil
	case !bridged && first.Hook == trace.Ingress.String():
		return api.Outsider, nil
	}
	return "", nil
}

// Story writes what happened to a packet, a line for each step.
func Story(out io.Writer, steps []api.Step) error {
	where, what := 0, 0
	for _, s := range steps {
		where, what = max(where, len(s.Where)), max(what, len(s.What))
	}
	if _, err := fmt.Fprintf(out, "#%d  %s\n", steps[0].Packet, trace.Printable(steps[0].Summary)); err != nil {
		return err
	}
	for _, s := range steps {
		if _, err := fmt.Fprintf(out, "    %-*s  %-*s  %s\n", where, trace.Printable(s.Where), what, s.What, trace.Printable(s.Text)); err != nil {
			return err
		}
	}
	return nil
}
