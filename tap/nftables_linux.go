package tap

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// readNFTables finds the rules of nf_tables in the calling thread's namespace, those of iptables-nft among them: how many hang
// at each hook, and whether they can do more than drop. What they say is not evaluated.
func (in *Inside) readNFTables() {
	chains, err := nftDump(unix.NFT_MSG_GETCHAIN)
	if err != nil {
		in.unreadable("firewall", err)
		return
	}
	rules, err := nftDump(unix.NFT_MSG_GETRULE)
	if err != nil {
		in.unreadable("firewall", err)
		return
	}
	all := map[nftKey]*nftChain{}
	for _, row := range chains {
		if c, ok := readChain(row); ok {
			all[c.nftKey] = c
		}
	}
	for _, row := range rules {
		readRule(row, all)
	}
	for _, c := range all {
		if c.hooked && (c.rules > 0 || c.drops) {
			in.Unseen = append(in.Unseen, c.unseen(all)...)
		}
	}
}

// unreadable notes that something that decides cannot be read. That a kernel does not have it is fine.
func (in *Inside) unreadable(what string, err error) {
	for _, absent := range []error{unix.EINVAL, unix.ENOENT, unix.EOPNOTSUPP, unix.EPROTONOSUPPORT, unix.EAFNOSUPPORT, unix.ENOPROTOOPT} {
		if errors.Is(err, absent) {
			return
		}
	}
	for _, at := range []Point{AtInput, AtForward, AtOutput} {
		in.Unseen = append(in.Unseen, Unseen{At: at, Text: fmt.Sprintf("a %s that cannot be read (%v)", what, err)})
	}
}

// nftKey names a chain.
type nftKey struct {
	family       uint8
	table, chain string
}

// nftChain is a chain with what hangs in it.
type nftChain struct {
	nftKey
	hooked bool
	hook   uint32
	devs   []string
	drops  bool // its policy
	kind   string
	rules  int
	more   bool // a rule of it can do more than drop
	jumps  []string
}

// unseen says what a chain that hangs at a hook is to packets of IPv4.
func (c *nftChain) unseen(all map[nftKey]*nftChain) (list []Unseen) {
	rules, more := c.total(all, nil)
	u := Unseen{Only: c.kind == "filter" && !more, Drops: c.drops && rules == 0, Text: rulesText(rules, c.drops), Shown: "nft list ruleset"}
	points := []Point{AtPrerouting, AtInput, AtForward, AtOutput, AtPostrouting}
	switch c.family {
	case unix.NFPROTO_IPV4, unix.NFPROTO_INET:
		if int(c.hook) >= len(points) {
			points = []Point{AtIngress} // of inet
			c.hook = 0
		}
	case unix.NFPROTO_ARP:
		points = []Point{AtARPIn, AtARPOut, AtForward}
	case unix.NFPROTO_NETDEV:
		points = []Point{AtIngress, AtEgress}
	default:
		return nil // IPv6, and bridges, which are no devices that a packet is followed through
	}
	if int(c.hook) >= len(points) {
		return nil
	}
	u.At = points[c.hook]
	if len(c.devs) == 0 {
		return []Unseen{u}
	}
	for _, dev := range c.devs {
		u.Dev = dev
		list = append(list, u)
	}
	return list
}

func rulesText(n int, drops bool) string {
	switch {
	case n == 0:
		return "a firewall of its own whose policy drops everything"
	case n == 1:
		return "1 firewall rule of its own"
	}
	return fmt.Sprintf("%d firewall rules of its own", n)
}

// total counts the rules of a chain and of all that it jumps to.
func (c *nftChain) total(all map[nftKey]*nftChain, seen []string) (rules int, more bool) {
	rules, more = c.rules, c.more
	seen = append(seen, c.chain)
	for _, name := range c.jumps {
		next := all[nftKey{c.family, c.table, name}]
		if next == nil || slices.Contains(seen, name) {
			continue
		}
		n, m := next.total(all, seen)
		rules, more = rules+n, more || m
	}
	return rules, more
}

// nftDump asks for all objects of a kind.
func nftDump(what int) ([][]byte, error) {
	req := nl.NewNetlinkRequest(unix.NFNL_SUBSYS_NFTABLES<<8|what, unix.NLM_F_DUMP)
	req.AddData(&nl.Nfgenmsg{NfgenFamily: unix.NFPROTO_UNSPEC, Version: 0})
	return req.Execute(unix.NETLINK_NETFILTER, 0)
}

// nfAttrs reads the attributes behind struct nfgenmsg, without the flags of their types.
func nfAttrs(b []byte) map[uint16][]byte {
	attrs := map[uint16][]byte{}
	list, err := nl.ParseRouteAttr(b)
	if err != nil {
		return attrs
	}
	for _, a := range list {
		attrs[a.Attr.Type&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER)] = a.Value
	}
	return attrs
}

func text(b []byte) string { return strings.TrimRight(string(b), "\x00") }

func readChain(row []byte) (*nftChain, bool) {
	if len(row) < 4 {
		return nil, false
	}
	attrs := nfAttrs(row[4:])
	c := &nftChain{nftKey: nftKey{row[0], text(attrs[unix.NFTA_CHAIN_TABLE]), text(attrs[unix.NFTA_CHAIN_NAME])},
		kind: text(attrs[unix.NFTA_CHAIN_TYPE])}
	if policy := attrs[unix.NFTA_CHAIN_POLICY]; len(policy) == 4 {
		c.drops = binary.BigEndian.Uint32(policy) == 0 // NF_DROP
	}
	if hook, ok := attrs[unix.NFTA_CHAIN_HOOK]; ok {
		inner := nfAttrs(hook)
		if number := inner[unix.NFTA_HOOK_HOOKNUM]; len(number) == 4 {
			c.hooked, c.hook = true, binary.BigEndian.Uint32(number)
		}
		if dev, ok := inner[unix.NFTA_HOOK_DEV]; ok {
			c.devs = []string{text(dev)}
		}
		if devs, ok := inner[nftaHookDevs]; ok {
			list, _ := nl.ParseRouteAttr(devs)
			c.devs = nil // of one device, the kernel tells both ways
			for _, d := range list {
				c.devs = append(c.devs, text(d.Value))
			}
		}
	}
	return c, true
}

// nftaHookDevs is NFTA_HOOK_DEVS.
const nftaHookDevs = 4

// harmless are the expressions by which a rule can look, count, and drop, but not change a packet or send it elsewhere.
var harmless = []string{"immediate", "cmp", "meta", "payload", "counter", "ct", "lookup", "limit", "log", "reject", "bitwise", "range", "byteorder",
	"match", "connlimit", "quota", "fib", "socket", "rt", "numgen", "hash", "osf", "last", "exthdr", "xfrm", "target"}

// readRule counts a rule where it hangs.
func readRule(row []byte, all map[nftKey]*nftChain) {
	if len(row) < 4 {
		return
	}
	attrs := nfAttrs(row[4:])
	c := all[nftKey{row[0], text(attrs[unix.NFTA_RULE_TABLE]), text(attrs[unix.NFTA_RULE_CHAIN])}]
	if c == nil {
		return
	}
	c.rules++
	list, err := nl.ParseRouteAttr(attrs[unix.NFTA_RULE_EXPRESSIONS])
	c.more = c.more || err != nil
	for _, e := range list {
		expr := nfAttrs(e.Value)
		name := text(expr[unix.NFTA_EXPR_NAME])
		data := nfAttrs(expr[unix.NFTA_EXPR_DATA])
		switch {
		case !slices.Contains(harmless, name), name == "payload" && data[unix.NFTA_PAYLOAD_SREG] != nil, name == "meta" && data[unix.NFTA_META_SREG] != nil,
			name == "ct" && data[unix.NFTA_CT_SREG] != nil,
			name == "target" && !slices.Contains(harmlessTargets, text(data[unix.NFTA_TARGET_NAME])):
			c.more = true
		case name == "immediate":
			if jump := jumpOf(data[unix.NFTA_IMMEDIATE_DATA]); jump != "" {
				c.jumps = append(c.jumps, jump)
			}
		case name == "lookup":
			c.more = c.more || data[unix.NFTA_LOOKUP_DREG] != nil // a verdict map leads anywhere
		}
	}
}

// jumpOf returns the chain that a verdict leads to.
func jumpOf(data []byte) string {
	verdict, ok := nfAttrs(data)[unix.NFTA_DATA_VERDICT]
	if !ok {
		return ""
	}
	return text(nfAttrs(verdict)[unix.NFTA_VERDICT_CHAIN])
}
