package tap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"unsafe"

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

// Of linux/netfilter_ipv4/ip_tables.h and linux/netfilter/x_tables.h.
const (
	iptSOGetInfo    = 64
	iptSOGetEntries = 65
	xtNameLength    = 32
	iptEntryLength  = 112
	xtTargetHeader  = 32
	noTarget        = "" // a verdict, or a jump
)

// iptInfo is struct ipt_getinfo: where each hook begins and ends in a table of the legacy backend.
type iptInfo struct {
	name       [xtNameLength]byte
	validHooks uint32
	hookEntry  [5]uint32
	underflow  [5]uint32
	numEntries uint32
	size       uint32
}

// readLegacyTables finds the rules of iptables' legacy backend in the calling thread's namespace, without that program: the
// tables that there are stand in /proc/net/ip_tables_names.
func (in *Inside) readLegacyTables() {
	names, err := os.ReadFile("/proc/thread-self/net/ip_tables_names")
	if err != nil && !os.IsNotExist(err) {
		in.unreadable("legacy firewall", err)
	}
	for _, table := range strings.Fields(string(names)) {
		if err := in.readLegacyTable(table); err != nil {
			in.unreadable("legacy firewall", err)
		}
	}
	names, _ = os.ReadFile("/proc/thread-self/net/arp_tables_names")
	if len(bytes.TrimSpace(names)) > 0 {
		for _, at := range []Point{AtARPIn, AtARPOut} {
			in.Unseen = append(in.Unseen, Unseen{At: at, Text: "a table of arptables", Only: true})
		}
	}
}

func (in *Inside) readLegacyTable(table string) error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	var info iptInfo
	copy(info.name[:xtNameLength-1], table)
	if err := getsockopt(socket, iptSOGetInfo, unsafe.Slice((*byte)(unsafe.Pointer(&info)), unsafe.Sizeof(info))); err != nil {
		return err
	}
	const header = 40 // struct ipt_get_entries: the name, the size, and room up to the next multiple of 8
	b := make([]byte, header+int(info.size))
	copy(b, info.name[:])
	binary.NativeEndian.PutUint32(b[xtNameLength:], info.size)
	if err := getsockopt(socket, iptSOGetEntries, b); err != nil {
		return err
	}
	entries := legacyEntries(b[header:])
	own := slices.ContainsFunc(entries, func(e legacyEntry) bool { return !slices.Contains(harmlessTargets, e.target) })
	for hook, at := range []Point{AtPrerouting, AtInput, AtForward, AtOutput, AtPostrouting} {
		if info.validHooks&(1<<hook) == 0 {
			continue
		}
		rules, drops := 0, false
		for _, e := range entries {
			if e.offset >= info.hookEntry[hook] && e.offset < info.underflow[hook] {
				rules++
			}
			if e.offset == info.underflow[hook] {
				drops = e.verdict == -1 // -NF_DROP - 1
			}
		}
		if rules > 0 || drops {
			in.Unseen = append(in.Unseen, Unseen{At: at, Only: (table == "filter" || table == "security") && !own, Drops: drops && rules == 0,
				Text: rulesText(rules, drops), Shown: "iptables-legacy -t " + table + " -S"})
		}
	}
	return nil
}

// legacyEntry is a struct ipt_entry.
type legacyEntry struct {
	offset  uint32
	target  string
	verdict int32
}

// harmlessTargets are those that only look, count and drop. "ERROR" begins a chain of the person's own, and ends the table.
var harmlessTargets = []string{noTarget, "standard", "ERROR", "REJECT", "LOG", "NFLOG", "ACCEPT", "DROP", "RETURN"}

// legacyEntries walks through the entries of a table.
func legacyEntries(b []byte) (entries []legacyEntry) {
	for at := 0; at+iptEntryLength <= len(b); {
		e := b[at:]
		target, next := int(binary.NativeEndian.Uint16(e[88:])), int(binary.NativeEndian.Uint16(e[90:]))
		if next < iptEntryLength || target < iptEntryLength || target+xtTargetHeader+4 > len(e) {
			break
		}
		entries = append(entries, legacyEntry{uint32(at), text(bytes.SplitN(e[target+2:target+xtTargetHeader-1], []byte{0}, 2)[0]),
			int32(binary.NativeEndian.Uint32(e[target+xtTargetHeader:]))})
		at += next
	}
	return entries
}

// getsockopt is getsockopt(2) of IPPROTO_IP with an option that is read and written.
func getsockopt(socket, option int, b []byte) error {
	length := uint32(len(b))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(socket), unix.IPPROTO_IP, uintptr(option), uintptr(unsafe.Pointer(&b[0])),
		uintptr(unsafe.Pointer(&length)), 0)
	if errno != 0 {
		return errno
	}
	return nil
}
