package names

import "github.com/miekg/dns"

// Sizes of an answer over UDP, in bytes.
const (
	minUDP = dns.MinMsgSize // for those who say nothing (RFC 1035 4.2.1)
	maxUDP = 4096           // what is larger than the network's MTU leaves in fragments
)

// room returns how long an answer over UDP may be for whoever sent q.
func room(q *dns.Msg) int {
	opt := q.IsEdns0()
	if opt == nil {
		return minUDP
	}
	return min(max(int(opt.UDPSize()), minUDP), maxUDP) // less than 512 means 512 (RFC 6891 6.2.3)
}

// pack writes a reply into at most size bytes: where it does not fit, records are left out and the reply says so.
func pack(reply *dns.Msg, size int) ([]byte, error) {
	reply.Compress = true
	reply.Truncate(size)
	return reply.Pack()
}
