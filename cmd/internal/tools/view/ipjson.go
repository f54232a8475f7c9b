package view

import (
	"bytes"
	"encoding/json"
	"io"
	"math"
	"net/netip"
	"strings"

	"uswitch/cmd/internal/control/api"
)

// The objects that `ip -json` prints, with their keys in its order.

type ipLink struct {
	Index     int         `json:"ifindex,omitempty"`
	LinkIndex int         `json:"link_index,omitempty"`
	Name      string      `json:"ifname"`
	Flags     []string    `json:"flags"`
	MTU       int         `json:"mtu"`
	Qdisc     string      `json:"qdisc"`
	Master    string      `json:"master,omitempty"`
	State     string      `json:"operstate"`
	Mode      string      `json:"linkmode,omitempty"`
	Group     string      `json:"group"`
	Queue     int         `json:"txqlen,omitempty"`
	Type      string      `json:"link_type"`
	Address   string      `json:"address,omitempty"`
	Broadcast string      `json:"broadcast,omitempty"`
	NetnsID   *int        `json:"link_netnsid,omitempty"`
	Addrs     *[]ipAddr   `json:"addr_info,omitempty"`
	Stats     *ipLinkStat `json:"stats64,omitempty"`
}

type ipAddr struct {
	Family    string `json:"family,omitempty"`
	Local     string `json:"local"`
	Bits      int    `json:"prefixlen"`
	Broadcast string `json:"broadcast,omitempty"`
	Scope     string `json:"scope,omitempty"`
	Label     string `json:"label,omitempty"`
	Valid     uint32 `json:"valid_life_time,omitempty"`
	Preferred uint32 `json:"preferred_life_time,omitempty"`
}

type ipLinkStat struct {
	Rx ipRx `json:"rx"`
	Tx ipTx `json:"tx"`
}

type ipRx struct {
	Bytes     uint64 `json:"bytes"`
	Packets   uint64 `json:"packets"`
	Errors    uint64 `json:"errors"`
	Dropped   uint64 `json:"dropped"`
	Over      uint64 `json:"over_errors"`
	Multicast uint64 `json:"multicast"`
}

type ipTx struct {
	Bytes      uint64 `json:"bytes"`
	Packets    uint64 `json:"packets"`
	Errors     uint64 `json:"errors"`
	Dropped    uint64 `json:"dropped"`
	Carrier    uint64 `json:"carrier_errors"`
	Collisions uint64 `json:"collisions"`
}

// ipBrief is what -br leaves of a device.
type ipBrief struct {
	LinkIndex int       `json:"link_index,omitempty"`
	Name      string    `json:"ifname"`
	State     string    `json:"operstate"`
	Address   string    `json:"address,omitempty"`
	Flags     []string  `json:"flags,omitempty"`
	Addrs     *[]ipAddr `json:"addr_info,omitempty"`
}

// LinksJSON returns what `ip -json link` prints.
func LinksJSON(rows []api.Device, o IPOptions) any {
	brief, full := []ipBrief{}, []ipLink{}
	for i := range rows {
		d := &rows[i]
		l := linkJSON(d, o)
		l.Mode = "DEFAULT"
		full = append(full, l)
		brief = append(brief, ipBrief{LinkIndex: d.Peer, Name: d.Name, State: l.State, Address: l.Address, Flags: l.Flags})
	}
	if o.Brief {
		return brief
	}
	return full
}

// AddrsJSON returns what `ip -json addr` prints.
func AddrsJSON(rows []api.Device, o IPOptions) any {
	brief, full := []ipBrief{}, []ipLink{}
	for _, d := range Addressed(rows, o) {
		l := linkJSON(&d, o)
		short, long := []ipAddr{}, []ipAddr{}
		for _, of := range addrsOf(&d, o) {
			a := of.Prefix
			if a.Addr().Is6() {
				long = append(long, ipAddr{Family: "inet6", Local: a.Addr().String(), Bits: a.Bits(), Scope: scope6(a), Valid: lasts(of.Valid), Preferred: lasts(of.Preferred)})
				short = append(short, ipAddr{Local: a.Addr().String(), Bits: a.Bits()})
				continue
			}
			short = append(short, ipAddr{Local: a.Addr().String(), Bits: a.Bits()})
			long = append(long, ipAddr{Family: "inet", Local: a.Addr().String(), Bits: a.Bits(), Broadcast: addrBroadcast(&d),
				Scope: addrScope(&d), Label: d.Name, Valid: math.MaxUint32, Preferred: math.MaxUint32})
		}
		l.Addrs = &long
		full = append(full, l)
		brief = append(brief, ipBrief{LinkIndex: d.Peer, Name: d.Name, State: l.State, Addrs: &short})
	}
	if o.Brief {
		return brief
	}
	return full
}

func lasts(seconds *int) uint32 {
	if seconds == nil {
		return math.MaxUint32
	}
	return uint32(*seconds)
}

func scope6(a netip.Prefix) string {
	switch {
	case a.Addr().IsLoopback():
		return "host"
	case a.Addr().IsLinkLocalUnicast():
		return "link"
	}
	return "global"
}

func linkJSON(d *api.Device, o IPOptions) ipLink {
	l := ipLink{Index: d.Index, LinkIndex: d.Peer, Name: d.Name, Flags: flags(d), MTU: d.MTU, Qdisc: "noqueue", Master: d.Master,
		State: operState(d), Group: "default", Queue: queueLength(d), Type: linkType(d)}
	if d.Kind != api.KindNone {
		l.Address, l.Broadcast = linkAddress(d), linkBroadcast(d)
	}
	if d.Kind == api.KindVeth && d.PeerDev == "" {
		l.NetnsID = &d.NetnsID
	}
	if o.Stats {
		l.Stats = &ipLinkStat{ipRx{Bytes: d.RxBytes, Packets: d.RxPackets, Dropped: d.RxDropped},
			ipTx{Bytes: d.TxBytes, Packets: d.TxPackets, Dropped: d.TxDropped}}
	}
	return l
}

// IPRouteJSON writes a value as iproute2's programs do: on one line, or with -pretty as their json_writer.c lays it out.
func IPRouteJSON(w io.Writer, v any, pretty bool) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if pretty {
		text = layOut(text)
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// layOut puts each key on a line of its own, and each object of a list behind the one before:
//
//	[ {
//	        "ifindex": 1,
//	        "flags": [ "LOOPBACK","UP" ]
//	    },{
//	        ...
//	    } ]
func layOut(text []byte) []byte {
	l := layout{in: json.NewDecoder(bytes.NewReader(text))}
	l.in.UseNumber()
	l.value()
	return l.out.Bytes()
}

// layout is a document on its way; what it reads has been written by json.Marshal, and has no mistakes.
type layout struct {
	in    *json.Decoder
	out   bytes.Buffer
	depth int // of objects and lists around
}

func (l *layout) line() { l.out.WriteString("\n" + strings.Repeat("    ", l.depth)) }

func (l *layout) value() {
	token, _ := l.in.Token()
	switch token {
	case json.Delim('{'):
		l.object()
	case json.Delim('['):
		l.list()
	default:
		text, _ := json.Marshal(token)
		l.out.Write(text)
	}
}

func (l *layout) object() {
	l.out.WriteByte('{')
	l.depth++
	separator := ""
	for ; l.in.More(); separator = "," {
		l.out.WriteString(separator)
		l.line()
		l.value()
		l.out.WriteString(": ")
		l.value()
	}
	l.depth--
	if separator != "" {
		l.line()
	}
	_, _ = l.in.Token()
	l.out.WriteByte('}')
}

func (l *layout) list() {
	l.out.WriteString("[ ")
	l.depth++
	separator := ""
	for ; l.in.More(); separator = "," {
		l.out.WriteString(separator)
		l.value()
	}
	l.depth--
	if separator != "" {
		l.out.WriteByte(' ')
	}
	_, _ = l.in.Token()
	l.out.WriteByte(']')
}
