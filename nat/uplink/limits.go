package uplink

// Limits bound what the inside can make the host spend. One host of the lab that reaches a limit pushes out what it has
// used least lately itself, so that a noisy one starves nobody else.
type Limits struct {
	// Sockets bounds the file descriptors of flows in all; 0 means what the process's limit (RLIMIT_NOFILE) leaves when
	// ReservedFiles are kept for everything else, and no more than three quarters of the ports that this machine has for
	// whoever asks for any (ip_local_port_range): each flow has one, and the machine's own programs need some too.
	Sockets int
	// Dials bounds the TCP connections of one inside host that nobody has answered yet; 0 means 256. Past it the dial
	// that has waited longest is given up, silently.
	Dials int
	// Flows bounds the UDP and ICMP sockets of one inside host; 0 means 512. Past it the one that was used least lately is
	// closed; a packet that still wants it opens it again, at the same port.
	Flows int
	// Conns bounds the TCP connections of one inside host; 0 means three quarters of Sockets. A host is whoever the frames'
	// Source says, however many addresses it has.
	Conns int
}

// ReservedFiles is how many file descriptors flows leave to the rest of the process: TAPs, the control socket, captures.
const ReservedFiles = 128

func (l Limits) withDefaults() Limits {
	if l.Sockets == 0 {
		files := fileLimit()
		first, last := ephemeral()
		l.Sockets = max(min(files-min(ReservedFiles, files/2), int(last-first+1)/4*3), 1)
	}
	if l.Dials == 0 {
		l.Dials = 256
	}
	if l.Flows == 0 {
		l.Flows = 512
	}
	if l.Conns == 0 {
		l.Conns = max(l.Sockets/4*3, 1)
	}
	return l
}
