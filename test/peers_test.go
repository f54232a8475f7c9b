package test

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"time"
)

// Servers and clients inside namespaces that check more than programs do. All of them end with the test.

// familyOf returns the 4 or the 6 that Go's names of networks end with, for an address with a port.
func familyOf(at string) string {
	if strings.HasPrefix(at, "[") {
		return "6"
	}
	return "4"
}

// listen opens a TCP listener in a host.
func (l *lab) listen(host, at string) net.Listener {
	l.t.Helper()
	var listener net.Listener
	within(l.t, l.ns(host), func() (err error) {
		listener, err = net.Listen("tcp"+familyOf(at), at)
		return err
	})
	l.t.Cleanup(func() { listener.Close() })
	return listener
}

// serve gives each client of a listener to f, and closes it behind it.
func (l *lab) serve(host, at string, f func(*net.TCPConn)) {
	l.t.Helper()
	listener := l.listen(host, at)
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				_ = c.SetDeadline(time.Now().Add(2 * patience)) // whoever is left behind ends by itself
				f(c.(*net.TCPConn))
			}()
		}
	}()
}

// packets opens a UDP socket in a host.
func (l *lab) packets(host, at string) *net.UDPConn {
	l.t.Helper()
	var c net.PacketConn
	within(l.t, l.ns(host), func() (err error) {
		c, err = net.ListenPacket("udp"+familyOf(at), at)
		return err
	})
	l.t.Cleanup(func() { c.Close() })
	return c.(*net.UDPConn)
}

// dial connects from a host. The error is the caller's to judge.
func (l *lab) dial(host, network, from, to string, timeout time.Duration) (c net.Conn, failed error) {
	l.t.Helper()
	d := net.Dialer{Timeout: timeout, KeepAlive: -1}
	if from != "" {
		at := netip.MustParseAddrPort(from)
		d.LocalAddr = net.TCPAddrFromAddrPort(at)
		if strings.HasPrefix(network, "udp") {
			d.LocalAddr = net.UDPAddrFromAddrPort(at)
		}
	}
	within(l.t, l.ns(host), func() error {
		c, failed = d.Dial(network, to)
		return nil
	})
	if c != nil {
		l.t.Cleanup(func() { c.Close() })
	}
	return c, failed
}

// connect connects from a host, which must succeed.
func (l *lab) connect(host, to string) *net.TCPConn {
	l.t.Helper()
	c, err := l.dial(host, "tcp"+familyOf(to), "", to, patience)
	if err != nil {
		l.t.Fatalf("%s: %v", host, err)
	}
	_ = c.SetDeadline(time.Now().Add(2 * patience))
	return c.(*net.TCPConn)
}

// sayWho starts a web server and a UDP server that tell each client which address and port they see it by.
func (l *lab) sayWho(host, tcp, udp string) {
	l.t.Helper()
	l.serve(host, tcp, func(c *net.TCPConn) {
		_, _ = c.Read(make([]byte, 4096))
		fmt.Fprintf(c, "HTTP/1.0 200 OK\r\n\r\n%v", c.RemoteAddr())
	})
	if udp == "" {
		return
	}
	socket := l.packets(host, udp)
	go func() {
		b := make([]byte, 1<<16)
		for {
			_, from, err := socket.ReadFromUDPAddrPort(b)
			if err != nil {
				return
			}
			_, _ = socket.WriteToUDPAddrPort([]byte(from.String()), from)
		}
	}()
}

// asksUDP sends a datagram and returns the answer, or in which way there was none.
func (l *lab) asksUDP(host, from, to string) string {
	l.t.Helper()
	c, err := l.dial(host, "udp"+familyOf(to), from, to, 0)
	if err != nil {
		return explain(err)
	}
	defer c.Close()
	b := make([]byte, 1<<16)
	_, err = c.Write([]byte("who am I?"))
	if err == nil {
		_ = c.SetReadDeadline(time.Now().Add(2 * time.Second))
		var n int
		n, err = c.Read(b)
		b = b[:n]
	}
	if err != nil {
		return explain(err)
	}
	return string(b)
}

// asksTCP asks a server of sayWho with curl.
func (l *lab) asksTCP(host, to string, args ...string) string {
	l.t.Helper()
	text, status := output(l.t, l.in(host, append([]string{"curl", "-s", "-S", "-m", "8", "--connect-timeout", "5", "http://" + to + "/"}, args...)...)...)
	if status != 0 {
		return fmt.Sprintf("curl: status %d: %s", status, text)
	}
	return text
}
