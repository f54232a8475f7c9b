//go:build linux

package uplink

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"

	"golang.org/x/sys/unix"
	"gvisor.dev/gvisor/pkg/tcpip"
)

// mouth is a netstack's end of a connection that swallows everything, and remembers each bite.
type mouth struct {
	tcpip.Endpoint
	bites []int
	got   bytes.Buffer
}

// Write implements tcpip.Endpoint.
func (m *mouth) Write(p tcpip.Payloader, _ tcpip.WriteOptions) (int64, tcpip.Error) {
	m.bites = append(m.bites, p.Len())
	n, _ := io.CopyN(&m.got, p, int64(p.Len()))
	return n, nil
}

// TestPourInRow: super-frames that wait go in with one write, so that they leave in a row; few bytes stay for moveIn.
func TestPourInRow(t *testing.T) {
	s := newStage(t, 0)
	m := &mouth{}
	pour := &splice{ep: m, raw: s.raw}
	sent := make([]byte, 2*copySize+bulkThreshold/2)
	for i := range sent {
		sent[i] = byte(rand.Uint32())
	}
	for _, part := range [][]byte{sent[:2*copySize], sent[2*copySize:]} {
		if n, err := unix.Write(s.peer, part); n != len(part) {
			t.Fatal(n, err)
		}
		if n, err := pour.bulkRelay(nil); n != len(part) || err != nil {
			t.Fatalf("%d of %d waiting bytes seen: %v", n, len(part), err)
		}
	}
	if len(m.bites) != 1 || m.bites[0] != 2*copySize || !bytes.Equal(m.got.Bytes(), sent[:2*copySize]) {
		t.Errorf("bites of %d bytes, want one of %d with what was sent", m.bites, 2*copySize)
	}
}
