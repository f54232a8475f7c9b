package tap

import (
	"bytes"
	"encoding/binary"
	"os"
	"slices"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

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
