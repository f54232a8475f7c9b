package uplink

import (
	"net"
	"net/netip"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"uswitch/switch/frame"
	"uswitch/switch/trace"
)

// TestWhatTheKernelSays: each error of a socket has its reason.
func TestWhatTheKernelSays(t *testing.T) {
	for err, want := range map[error]trace.Reason{
		unix.EMFILE: trace.NoMem, unix.ENOMEM: trace.NoMem,
		unix.EADDRINUSE: trace.NATNoPort, unix.ENETUNREACH: trace.NoRoute, unix.EHOSTUNREACH: trace.Unreachable,
		unix.EPERM: trace.UplinkForbid, unix.EACCES: trace.UplinkForbid, unix.EINVAL: trace.UplinkForbid,
		unix.ECONNREFUSED: trace.Refused, unix.EMSGSIZE: trace.UplinkTooBig, unix.ENOBUFS: trace.UplinkError,
		net.ErrClosed: trace.UplinkClosed,
	} {
		if got := why(os.NewSyscallError("sendmsg", err)); got != want {
			t.Errorf("%v: %v, want %v", err, got, want)
		}
	}
	for proto, want := range map[uint8]trace.Reason{frame.ProtoICMP: trace.NoICMPSocket, frame.ProtoUDP: trace.UplinkForbid} {
		if got := whyNoSocket(proto, os.NewSyscallError("socket", unix.EACCES)); got != want {
			t.Errorf("no socket for protocol %d: %v, want %v", proto, got, want)
		}
	}
}

// TestAnswerToAForgottenClient: what a published port sends to the gateway, which stands for this machine's own clients, at
// a port that is none of theirs.
func TestAnswerToAForgottenClient(t *testing.T) {
	h, err := NewHost(HostConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	port := outside{proto: frame.ProtoUDP, port: 53}
	h.listens[port] = append(h.listens[port], &udpListener{})
	defer delete(h.listens, port)
	if r, ok := h.answer(&outgoing{ip: make(frame.IP, frame.IPv4Header)}, port, netip.AddrPortFrom(h.gateway, 9), nil); !ok || r != trace.ClientGone {
		t.Errorf("%v, %v", r, ok)
	}
}
