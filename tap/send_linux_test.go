package tap_test

import (
	"net"
	"testing"

	"golang.org/x/sys/unix"

	"uswitch/tap"
)

// send sends a frame from inside a namespace through eth0, with a packet socket and so as it is.
func send(t *testing.T, ns tap.Namespace, data []byte) {
	t.Helper()
	err := tap.Do(ns, func() error {
		eth0, err := net.InterfaceByName("eth0")
		if err != nil {
			return err
		}
		socket, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			return err
		}
		defer unix.Close(socket)
		return unix.Sendto(socket, data, 0, &unix.SockaddrLinklayer{Ifindex: eth0.Index})
	})
	if err != nil {
		t.Fatal(err)
	}
}
