package tap_test

import "testing"

// TestDropped: what an interface has dropped because nobody read it can be asked for.
func TestDropped(t *testing.T) { eachKind(t, testDropped) }

func testDropped(t *testing.T, offload bool) {
	host := newHost(t)
	ns := create(t, host)
	config := quietly("11.11.11.2/24")
	config.Offload = offload
	nic := open(t, host, ns, config)
	losses, ok := nic.(interface{ Dropped() (uint64, error) })
	if !ok {
		t.Fatal("the interface cannot be asked")
	}
	if n, err := losses.Dropped(); err != nil || n != 0 {
		t.Fatalf("at first %d, %v", n, err)
	}
	const sent = 2000
	frame := make([]byte, 60)
	for i := range 12 {
		frame[i] = 2
	}
	frame[12], frame[13] = 0x88, 0xb5
	for range sent {
		send(t, ns, frame)
	}
	if n, err := losses.Dropped(); err != nil || n == 0 || n >= sent {
		t.Errorf("of %d frames %d were dropped, %v", sent, n, err)
	}
}
