package view

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"uswitch/cmd/internal/control/api"
	"uswitch/switch/frame"
)

// FDBRow is a row of `bridge fdb`.
type FDBRow struct {
	MAC           frame.MAC
	Ifname        string
	Used, Updated float64 // seconds
	Flags         []string
	Master        string // empty: a row of the device's own filter
	Self          bool
	State         string
	Dst           string // of a tunnel's own row: the machine
}

// allHosts is the group that every device with IPv4 listens to (RFC 1112 4 and 6.4): 224.0.0.1.
var allHosts = frame.MAC{0x01, 0x00, 0x5e, 0x00, 0x00, 0x01}

// FDBRows puts the switches' tables into the form that `bridge fdb` shows on a Linux bridge: device by device, what was
// learned last first, then the device's own address, and last the groups that it listens to. Rows of devices that are
// gone are left out.
func FDBRows(devices []api.Device, entries []api.FDBEntry) (rows []FDBRow) {
	for _, d := range devices {
		if d.Kind != api.KindBridge && d.Kind != api.KindVeth && d.Kind != api.KindVXLAN {
			continue
		}
		group := FDBRow{MAC: allHosts, Ifname: d.Name, Self: true, Flags: []string{"self"}, State: "permanent"}
		if d.Kind == api.KindBridge {
			rows = append(rows, group)
		}
		rows = append(rows, stations(d, entries)...)
		if d.Kind == api.KindVXLAN {
			rows = append(rows, FDBRow{MAC: d.MAC, Ifname: d.Name, Flags: []string{}, Master: d.Master, State: "permanent"})
			rows = append(rows, remotes(d, entries)...)
		}
		if d.Kind == api.KindVeth {
			own := FDBRow{MAC: d.MAC, Ifname: d.Name, Flags: []string{}, Master: d.Master, State: "permanent"}
			rows = append(rows, own, group)
		}
	}
	return rows
}

// stations are the entries behind a device.
func stations(d api.Device, entries []api.FDBEntry) (rows []FDBRow) {
	var behind []api.FDBEntry
	for _, e := range entries {
		network, station := e.Master, e.Ifname
		if d.Kind == api.KindBridge && network == d.Name && station == d.Name && e.State == "permanent" ||
			d.Kind != api.KindBridge && network == d.Master && station == d.Port {
			behind = append(behind, e)
		}
	}
	for _, e := range slices.SortedStableFunc(slices.Values(behind), func(a, b api.FDBEntry) int { return cmp.Compare(seconds(a.Since), seconds(b.Since)) }) {
		row := FDBRow{MAC: e.MAC, Ifname: d.Name, Flags: e.Flags, Master: e.Master, State: e.State, Updated: seconds(e.Since)}
		if e.Age != nil {
			row.Updated = *e.Age
		}
		row.Used = row.Updated
		rows = append(rows, row)
	}
	return rows
}

// remotes are the rows of a tunnel's own table.
func remotes(d api.Device, entries []api.FDBEntry) (rows []FDBRow) {
	for _, e := range entries {
		if e.Dst == "" || e.Ifname != d.Name {
			continue
		}
		row := FDBRow{MAC: e.MAC, Ifname: d.Name, Flags: e.Flags, State: e.State, Dst: e.Dst, Updated: seconds(e.Since)}
		if e.Age != nil {
			row.Updated = *e.Age
		}
		row.Used = row.Updated
		rows = append(rows, row)
	}
	return rows
}

func seconds(s *float64) float64 {
	if s == nil {
		return 0
	}
	return *s
}

// FDBOptions say how `bridge fdb` writes.
type FDBOptions struct {
	Stats bool // -s
	NoDev bool // there is only one device, which was named
}

// BridgeFDB writes rows as `bridge fdb` does.
func BridgeFDB(w io.Writer, rows []FDBRow, o FDBOptions) error {
	out := bufio.NewWriter(w)
	for _, r := range rows {
		fmt.Fprintf(out, "%v ", r.MAC)
		if !o.NoDev {
			fmt.Fprintf(out, "dev %s ", r.Ifname)
		}
		if r.Dst != "" {
			fmt.Fprintf(out, "dst %s ", r.Dst)
		}
		if o.Stats && !r.Self {
			fmt.Fprintf(out, "used %d/%d ", int(r.Used), int(r.Updated))
		}
		for _, flag := range r.Flags {
			out.WriteString(flag + " ")
		}
		if r.Master != "" {
			out.WriteString("master " + r.Master + " ")
		}
		out.WriteString(r.State + "\n")
	}
	return out.Flush()
}

// BridgeFDBJSON returns what `bridge -json fdb` prints.
func BridgeFDBJSON(rows []FDBRow, o FDBOptions) any {
	all := []object{}
	for _, r := range rows {
		one := object{{"mac", r.MAC}}
		if !o.NoDev {
			one = append(one, member{"ifname", r.Ifname})
		}
		if o.Stats && !r.Self {
			one = append(one, member{"used", int(r.Used)}, member{"updated", int(r.Updated)})
		}
		if r.Dst != "" {
			one = append(one, member{"dst", r.Dst})
		}
		one = append(one, member{"flags", r.Flags})
		if r.Master != "" {
			one = append(one, member{"master", r.Master})
		}
		all = append(all, append(one, member{"state", r.State}))
	}
	return all
}

// BridgePort is a veth in a bridge, and what it may do there.
type BridgePort struct {
	api.Device
	Flags api.Port
}

// bridgeFlag is a setting that `bridge -d link` shows. The bridges here know no others than Linux's usual ones for most.
type bridgeFlag struct {
	name string
	on   bool
}

// before and after stand around mcast_router, which is a number.
func (p *BridgePort) before() []bridgeFlag {
	return []bridgeFlag{{"hairpin", false}, {"guard", false}, {"root_block", false}, {"fastleave", false},
		{"learning", p.Flags.Learning}, {"flood", p.Flags.Flood}, {"mcast_flood", p.Flags.McastFlood}, {"bcast_flood", p.Flags.BcastFlood}}
}

func (p *BridgePort) after() []bridgeFlag {
	return []bridgeFlag{{"mcast_to_unicast", false}, {"neigh_suppress", false}, {"vlan_tunnel", false},
		{"isolated", p.Flags.Isolated}, {"locked", false}}
}

// state is the port's in the spanning tree, of which there is none: a port with a carrier forwards.
func (p *BridgePort) state() string {
	if p.Carrier {
		return "forwarding"
	}
	return "disabled"
}

// Of a port: priority and cost are the kernel's for a link of 10 Gbit/s, as a veth is (net/bridge/br_if.c, port_cost).
const (
	portPriority = 32
	portCost     = 2
)

// BridgeLinks writes ports as `bridge link` does; details adds a line of flags.
//
//	3: veth6d2f1c0@br0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 master br0 state forwarding priority 32 cost 2
func BridgeLinks(w io.Writer, ports []BridgePort, details bool) error {
	out := bufio.NewWriter(w)
	for i := range ports {
		p := &ports[i]
		fmt.Fprintf(out, "%d: %s@%s: <%s> mtu %d master %s state %s priority %d cost %d \n", p.Index, p.Name, p.Master,
			strings.Join(flags(&p.Device), ","), p.MTU, p.Master, p.state(), portPriority, portCost)
		if !details {
			continue
		}
		out.WriteString("    ")
		for _, f := range p.before() {
			fmt.Fprintf(out, "%s %s ", f.name, onOff(f.on))
		}
		out.WriteString("mcast_router 1 ")
		for _, f := range p.after() {
			fmt.Fprintf(out, "%s %s ", f.name, onOff(f.on))
		}
		out.WriteByte('\n')
	}
	return out.Flush()
}

func onOff(b bool) string {
	if b {
		return "on"
	}
	return "off"
}

// BridgeLinksJSON returns what `bridge -json link` prints.
func BridgeLinksJSON(ports []BridgePort, details bool) any {
	all := []object{}
	for i := range ports {
		p := &ports[i]
		o := object{{"ifindex", p.Index}, {"link", p.Master}, {"ifname", p.Name}, {"flags", flags(&p.Device)}, {"mtu", p.MTU},
			{"master", p.Master}, {"state", p.state()}, {"priority", portPriority}, {"cost", portCost}}
		if details {
			for _, f := range p.before() {
				o = append(o, member{f.name, f.on})
			}
			o = append(o, member{"mcast_router", 1})
			for _, f := range p.after() {
				o = append(o, member{f.name, f.on})
			}
		}
		all = append(all, o)
	}
	return all
}
