package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Actions of struct fib_rule_hdr (linux/fib_rules.h).
var ruleActions = map[byte]RouteType{6: Blackhole, 7: Unreachable, 8: Prohibit}

// What a rule can have besides what it asks for (FRA_*): its table, its preference, who made it, and padding.
var ruleNotes = []uint16{nl.FRA_TABLE, nl.FRA_PRIORITY, nl.FRA_SUPPRESS_IFGROUP, nl.FRA_SUPPRESS_PREFIXLEN, nl.FRA_PROTOCOL, 18, nl.FRA_SRC, nl.FRA_DST}

// readRules reads the rules of policy routing of the calling thread's namespace, with what they do.
func (in *Inside) readRules(*netlink.Handle) error {
	req := nl.NewNetlinkRequest(unix.RTM_GETRULE, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_INET))
	rows, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWRULE)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		return fmt.Errorf("rules: %w", err)
	}
	for _, row := range rows {
		if r, ok := ruleOf(row); ok {
			in.Rules = append(in.Rules, r)
		}
	}
	return nil
}

// ruleOf reads a struct fib_rule_hdr with its attributes. ok is false for the three rules that every namespace begins with.
func ruleOf(row []byte) (r Rule, ok bool) {
	const length, inverted = 12, 2
	if len(row) < length {
		return r, false
	}
	attrs, err := nl.ParseRouteAttr(row[length:])
	if err != nil {
		return r, false
	}
	pref, table := uint32(0), uint32(row[4])
	r.Type, r.More = Unicast, row[3] != 0 || binary.NativeEndian.Uint32(row[8:])&inverted != 0
	var words []string
	for _, a := range attrs {
		switch kind := a.Attr.Type; {
		case kind == nl.FRA_PRIORITY && len(a.Value) == 4:
			pref = binary.NativeEndian.Uint32(a.Value)
		case kind == nl.FRA_TABLE && len(a.Value) == 4:
			table = binary.NativeEndian.Uint32(a.Value)
		case kind == nl.FRA_SRC && len(a.Value) == 4:
			r.From = netip.PrefixFrom(netip.AddrFrom4([4]byte(a.Value)), int(row[2]))
			words = append(words, "from "+r.From.String())
		case kind == nl.FRA_DST && len(a.Value) == 4:
			r.To = netip.PrefixFrom(netip.AddrFrom4([4]byte(a.Value)), int(row[1]))
			words = append(words, "to "+r.To.String())
		case kind == nl.FRA_IIFNAME || kind == nl.FRA_OIFNAME:
			r.More = true
			words = append(words, map[bool]string{true: "iif ", false: "oif "}[kind == nl.FRA_IIFNAME]+text(a.Value))
		case !slices.Contains(ruleNotes, kind):
			r.More = true
		}
	}
	slices.Sort(words)
	what := fmt.Sprintf("lookup %d", table)
	if t, forbids := ruleActions[row[7]]; forbids {
		r.Type, what = t, string(t)
	}
	r.Text = strings.Join(append(append([]string{fmt.Sprintf("pref %d", pref)}, words...), what), " ")
	first := pref == 0 && table == unix.RT_TABLE_LOCAL || pref == 32766 && table == unix.RT_TABLE_MAIN || pref == 32767 && table == unix.RT_TABLE_DEFAULT
	return r, !first || r.More || len(words) > 0 || r.Type != Unicast
}
