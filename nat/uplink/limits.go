package uplink

// Limits bound what the inside can make the host spend. One host of the lab that reaches a limit pushes out what it has
// used least lately itself, so that a noisy one starves nobody else.
type Limits struct {
	// Sockets bounds the file descriptors of flows in all, which is less where published ports and others (Host.Others) leave
	// less; 0 means three quarters of the ports that this machine has for whoever asks for any (ip_local_port_range): each flow
	// has one, and the machine's own programs need some too.
	Sockets int
	// Dials bounds the TCP connections of one inside host that nobody has answered yet; 0 means 256. Past it the dial
	// that has waited longest is given up, silently.
	Dials int
	// DialRate bounds how many TCP connections a second one inside host may begin that do not come about; 0 means 1000. As
	// many may begin at once. The SYNs past it are dropped before anything is done for them; TCP repeats them by itself.
	DialRate int
	// Flows bounds the UDP and ICMP sockets of one inside host; 0 means 512. Past it the one that was used least lately is
	// closed; a packet that still wants it opens it again, at the same port.
	Flows int
	// Conns bounds the TCP connections of one inside host; 0 means three quarters of Sockets. A host is whoever the frames'
	// Source says, however many addresses it has.
	Conns int
}

// ReservedFiles is how many file descriptors are kept for whoever controls the lab: the control socket, its answers, captures.
// Neither flows nor published ports nor network cards get them.
const ReservedFiles = 128

// FileLimit is how many file descriptors the process may have (RLIMIT_NOFILE).
func FileLimit() int { return fileLimit() }

// FreeFiles is how many of them are for the lab itself when ReservedFiles are kept back; of a small limit, half.
func FreeFiles() int {
	files := fileLimit()
	return files - min(ReservedFiles, files/2)
}

// Others tells how many file descriptors of FreeFiles others have: network cards. New sockets leave them alone; those that are
// open stay.
func (h *Host) Others(n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.others = n
}

// room is how many sockets flows may have now: what published ports and others leave. Called with mu held.
func (h *Host) room() int { return max(min(h.limits.Sockets, h.files-h.others-len(h.closers)), 0) }

// DefaultSockets returns what Limits.Sockets is unless somebody says otherwise.
func DefaultSockets() int { return Limits{}.withDefaults().Sockets }

func (l Limits) withDefaults() Limits {
	if l.Sockets == 0 {
		first, last := ephemeral()
		l.Sockets = max(min(FreeFiles(), int(last-first+1)/4*3), 1) // of which Conns is a part
	}
	if l.Dials == 0 {
		l.Dials = 256
	}
	if l.DialRate == 0 {
		l.DialRate = 1000
	}
	if l.Flows == 0 {
		l.Flows = 512
	}
	if l.Conns == 0 {
		l.Conns = max(l.Sockets/4*3, 1)
	}
	return l
}
