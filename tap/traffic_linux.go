package tap

import (
	"bytes"
	"errors"
	"os"
	"slices"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// plainQdiscs are the queues that a device has by itself, or that only order what waits in them.
var plainQdiscs = []string{"noqueue", "pfifo_fast", "fq_codel", "fq", "mq", "sfq", "ingress", "clsact"}

// readTraffic finds queues and filters of tc(8), and BPF programs at devices (tcx). What they do is not evaluated.
func (in *Inside) readTraffic(h *netlink.Handle) {
	req := nl.NewNetlinkRequest(unix.RTM_GETQDISC, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL})
	rows, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWQDISC)
	if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
		in.unreadable("traffic control", err)
	}
	for _, row := range rows {
		msg := nl.DeserializeTcMsg(row)
		dev := in.dev(int(msg.Ifindex))
		attrs, err := nl.ParseRouteAttr(row[msg.Len():])
		if err != nil || dev == "" {
			continue
		}
		kind, shared := "", false
		for _, a := range attrs {
			switch a.Attr.Type {
			case nl.TCA_KIND:
				kind = text(a.Value)
			case nl.TCA_INGRESS_BLOCK, nl.TCA_EGRESS_BLOCK:
				shared = true
			}
		}
		if !slices.Contains(plainQdiscs, kind) || shared {
			in.Unseen = append(in.Unseen, Unseen{At: AtEgress, Dev: dev, Text: "a queue of tc's (" + kind + ") at " + dev, Shown: "tc qdisc show dev " + dev})
		}
		parents := map[uint32]Point{msg.Handle: AtEgress}
		switch kind {
		case "ingress":
			parents = map[uint32]Point{netlink.HANDLE_MIN_INGRESS: AtIngress}
		case "clsact":
			parents = map[uint32]Point{netlink.HANDLE_MIN_INGRESS: AtIngress, netlink.HANDLE_MIN_EGRESS: AtEgress}
		}
		for parent, at := range parents {
			if filtered(msg.Ifindex, parent) {
				in.Unseen = append(in.Unseen, Unseen{At: at, Dev: dev, Text: "filters of tc's at " + dev, Shown: "tc filter show dev " + dev + map[Point]string{AtIngress: " ingress", AtEgress: ""}[at]})
			}
		}
	}
	for _, l := range in.Links {
		for at, attach := range map[Point]uint32{AtIngress: bpfTCXIngress, AtEgress: bpfTCXEgress} {
			if bpfPrograms(uint32(l.Index), attach) > 0 {
				in.Unseen = append(in.Unseen, Unseen{At: at, Dev: l.Name, Text: "a BPF program at " + l.Name, Shown: "bpftool net show dev " + l.Name})
			}
		}
	}
}

// filtered reports whether a queue has filters.
func filtered(index int32, parent uint32) bool {
	req := nl.NewNetlinkRequest(unix.RTM_GETTFILTER, unix.NLM_F_DUMP)
	req.AddData(&nl.TcMsg{Family: nl.FAMILY_ALL, Ifindex: index, Parent: parent})
	rows, err := req.Execute(unix.NETLINK_ROUTE, unix.RTM_NEWTFILTER)
	return err == nil && len(rows) > 0
}

// Of linux/bpf.h.
const (
	bpfProgQuery  = 16
	bpfTCXIngress = 46
	bpfTCXEgress  = 47
)

// bpfPrograms counts the programs that are attached to a device of the calling thread's namespace (BPF_PROG_QUERY); 0 also
// where the kernel has no such thing.
func bpfPrograms(index, attach uint32) uint32 {
	query := struct {
		target, attach, flags, attachFlags uint32
		ids                                uint64
		count, pad                         uint32
		more                               [4]uint64
	}{target: index, attach: attach}
	_, _, errno := unix.Syscall(unix.SYS_BPF, bpfProgQuery, uintptr(unsafe.Pointer(&query)), unsafe.Sizeof(query))
	if errno != 0 && errno != unix.ENOSPC {
		return 0
	}
	return query.count
}

// readOtherHooks finds IPsec policies and virtual servers, which take packets for themselves.
func (in *Inside) readOtherHooks() {
	req := nl.NewNetlinkRequest(nl.XFRM_MSG_GETPOLICY, unix.NLM_F_DUMP)
	req.AddData(nl.NewIfInfomsg(unix.AF_UNSPEC))
	if rows, err := req.Execute(unix.NETLINK_XFRM, 0); err == nil && len(rows) > 0 {
		for _, at := range []Point{AtInput, AtForward, AtOutput} {
			in.Unseen = append(in.Unseen, Unseen{At: at, Text: "IPsec policies"})
		}
	}
	servers, err := os.ReadFile("/proc/thread-self/net/ip_vs")
	if err == nil && bytes.Count(servers, []byte("\n")) > 3 {
		for _, at := range []Point{AtInput, AtForward, AtOutput} {
			in.Unseen = append(in.Unseen, Unseen{At: at, Text: "virtual servers (IPVS)"})
		}
	}
}
