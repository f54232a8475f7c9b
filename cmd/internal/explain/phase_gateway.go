package explain

import (
	"fmt"
	"net/netip"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/trace"
)

// interfaces names what -i and -o of a rule would see.
func (b *builder) interfaces(h trace.Hook) (text string) {
	if b.in != "" && (h == trace.Prerouting || h == trace.Input || h == trace.Forward) {
		text = ", in by " + b.in
	}
	if b.out != "" && (h == trace.Forward || h == trace.Output || h == trace.Postrouting) {
		text += ", out by " + b.out
	}
	return text
}

// routed is how the gateway finds the way, and the next hop.
func routed(p *api.Phase, e *trace.Event) {
	p.Found = e.Text()
	switch {
	case e.Hook == trace.Neighbor:
		p.Looked = fmt.Sprintf("%v in the gateway's neighbour table", e.Addr)
	case e.Addr.IsValid():
		p.Looked = fmt.Sprintf("%v in the gateway's routes", e.Addr)
	}
	if e.Hook == trace.Route && e.Prefix.IsValid() && e.Verdict != trace.Drop {
		p.Found = routeText(e.Prefix) + " dev " + e.Port + ": " + e.Text()
	}
}

func routeText(p netip.Prefix) string {
	if p.Bits() == 0 {
		return "default"
	}
	return p.String()
}

// filtered is what rules and the connection table say.
func filtered(p *api.Phase, e *trace.Event) {
	table := "filter"
	switch {
	case e.Hook == trace.Prerouting, e.Hook == trace.Postrouting, e.Verdict == trace.Rewrite:
		table = "nat"
	}
	if p.Rule != nil && p.Rule.Table != "" {
		table = p.Rule.Table
	}
	if e.Before.Proto != 0 {
		p.Looked = fmt.Sprintf("%s %s: %s", table, chainOf(e.Hook), e.Ends(e.Before))
	}
	connection := fmt.Sprintf("connection %d", e.Conn)
	switch {
	case e.Note == trace.MSSLimited:
		p.Changed = fmt.Sprintf("the maximum segment size: %d becomes %d", e.Size, e.Count)
	case e.Verdict == trace.Rewrite:
		p.Before, p.After = e.Ends(e.Before), e.Ends(e.After)
		p.Changed = e.Change()
		if p.Rule == nil {
			p.Found = e.Text()
			p.Looked = "the connection table: " + e.Ends(e.Before)
			p.Found = "the answer of " + connection + ", which was translated"
			if e.Note == trace.SameTranslation {
				p.Found = connection + ", translated as its first packet was"
			}
		}
		if e.Note == trace.ConnNew {
			p.Changed += "; " + connection + " begins"
		}
	case e.Note == trace.NoRuleChanged:
		p.Found = "no rule changes it"
		if e.Hook == trace.Prerouting || e.Hook == trace.Output {
			p.Changed = connection + " begins"
		}
	case e.Note == trace.EchoAnswered, e.Note == trace.Originated, p.Rule == nil:
		p.Looked, p.Found = "", e.Text()
		if e.Conn != 0 && e.Hook == trace.Prerouting {
			p.Looked = "the connection table: " + e.Ends(e.Before)
		}
	}
	if packet, ok := packetOf(e); ok && e.Hook == trace.Forward && e.Verdict == trace.Accept && e.Note == trace.NoNote {
		p.Changed = fmt.Sprintf("ttl %d becomes %d", int(packet.TTL())+1, packet.TTL())
	}
}

// chainOf is the built-in chain of a hook.
func chainOf(h trace.Hook) string {
	return map[trace.Hook]string{trace.Prerouting: "PREROUTING", trace.Input: "INPUT", trace.Forward: "FORWARD",
		trace.Output: "OUTPUT", trace.Postrouting: "POSTROUTING"}[h]
}
