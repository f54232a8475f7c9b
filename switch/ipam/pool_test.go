package ipam_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"testing"

	"uswitch/switch/ipam"
)

func addr(s string) netip.Addr     { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }

// TestNew opens pools of every size that has a rule of its own, and empties them.
func TestNew(t *testing.T) {
	tests := []struct {
		name    string
		config  ipam.Config
		gateway string
		hosts   []string // in the order in which Allocate hands them out
		more    int      // how many it would hand out after those
	}{
		{name: "/24", config: ipam.Config{Subnet: prefix("11.11.11.0/24")}, gateway: "11.11.11.1", hosts: []string{"11.11.11.2", "11.11.11.3"}, more: 251},
		{name: "/30", config: ipam.Config{Subnet: prefix("10.0.0.4/30")}, gateway: "10.0.0.5", hosts: []string{"10.0.0.6"}},
		{name: "/31 has no broadcast", config: ipam.Config{Subnet: prefix("10.0.0.4/31")}, gateway: "10.0.0.4", hosts: []string{"10.0.0.5"}},
		{name: "/32 is the gateway's", config: ipam.Config{Subnet: prefix("10.0.0.4/32")}, gateway: "10.0.0.4"},
		{name: "the last of all", config: ipam.Config{Subnet: prefix("255.255.255.252/30")}, gateway: "255.255.255.253", hosts: []string{"255.255.255.254"}},
		{name: "the very last", config: ipam.Config{Subnet: prefix("255.255.255.254/31")}, gateway: "255.255.255.254", hosts: []string{"255.255.255.255"}},
		{name: "gateway in the middle", config: ipam.Config{Subnet: prefix("10.0.0.0/29"), Gateway: addr("10.0.0.3")}, gateway: "10.0.0.3",
			hosts: []string{"10.0.0.1", "10.0.0.2", "10.0.0.4", "10.0.0.5", "10.0.0.6"}},
		{name: "the gateway evades auxiliary addresses", config: ipam.Config{Subnet: prefix("10.0.0.0/29"), Aux: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.4")}}, gateway: "10.0.0.2",
			hosts: []string{"10.0.0.3", "10.0.0.5", "10.0.0.6"}},
		{name: "a range", config: ipam.Config{Subnet: prefix("10.0.0.0/24"), Range: prefix("10.0.0.128/30")}, gateway: "10.0.0.1",
			hosts: []string{"10.0.0.128", "10.0.0.129", "10.0.0.130", "10.0.0.131"}},
		{name: "a range with the network's address", config: ipam.Config{Subnet: prefix("10.0.0.0/24"), Range: prefix("10.0.0.0/30")}, gateway: "10.0.0.1",
			hosts: []string{"10.0.0.2", "10.0.0.3"}},
		{name: "a range with the broadcast address", config: ipam.Config{Subnet: prefix("10.0.0.0/24"), Range: prefix("10.0.0.252/30")}, gateway: "10.0.0.1",
			hosts: []string{"10.0.0.252", "10.0.0.253", "10.0.0.254"}},
		{name: "a range of nothing but the broadcast address", config: ipam.Config{Subnet: prefix("10.0.0.0/24"), Range: prefix("10.0.0.255/32")}, gateway: "10.0.0.1"},
		{name: "no gateway", config: ipam.Config{Subnet: prefix("10.0.0.0/30"), NoGateway: true}, hosts: []string{"10.0.0.1", "10.0.0.2"}},
		{name: "a gateway that is named is one", config: ipam.Config{Subnet: prefix("10.0.0.0/30"), NoGateway: true, Gateway: addr("10.0.0.1")}, gateway: "10.0.0.1", hosts: []string{"10.0.0.2"}},
		{name: "a range that is the subnet", config: ipam.Config{Subnet: prefix("10.0.0.0/30"), Range: prefix("10.0.0.0/30")}, gateway: "10.0.0.1", hosts: []string{"10.0.0.2"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p, err := ipam.New(test.config)
			if err != nil {
				t.Fatal(err)
			}
			var want netip.Addr
			if test.gateway != "" {
				want = addr(test.gateway)
			}
			if got := p.Gateway(); got != want {
				t.Errorf("Gateway() = %v, want %s", got, test.gateway)
			}
			if got, want := p.Free(), len(test.hosts)+test.more; got != want {
				t.Errorf("Free() = %d, want %d", got, want)
			}
			for _, want := range test.hosts {
				if got, err := p.Allocate(); err != nil || got != addr(want) {
					t.Fatalf("Allocate() = %v, %v; want %s", got, err, want)
				}
			}
			for range test.more {
				if _, err := p.Allocate(); err != nil {
					t.Fatal(err)
				}
			}
			for range 2 {
				if got, err := p.Allocate(); !errors.Is(err, ipam.ErrNoAddress) {
					t.Fatalf("Allocate() = %v, %v; want %v", got, err, ipam.ErrNoAddress)
				}
			}
		})
	}
}

// TestRefusals compares whole sentences: people search for Docker's.
func TestRefusals(t *testing.T) {
	subnet := prefix("10.0.0.0/24")
	pool := func(c ipam.Config) error {
		_, err := ipam.New(c)
		return err
	}
	reserve := func(a string) error {
		p, err := ipam.New(ipam.Config{Subnet: subnet, Aux: []netip.Addr{addr("10.0.0.9")}})
		if err != nil {
			return err
		}
		return p.Reserve(addr(a))
	}
	tests := []struct {
		name string
		err  error
		is   error
		want string
	}{
		{"nothing", pool(ipam.Config{}), ipam.ErrSubnet, "invalid Prefix: invalid subnet: want a network, as in 172.20.0.0/16"},
		{"host bits of IPv6", pool(ipam.Config{Subnet: prefix("fd00::/64"), Range: prefix("fd00::1/80")}), ipam.ErrSubnet, "range fd00::1/80: invalid subnet: want a network of the same family without host bits, as in fd00::/64"},
		{"host bits", pool(ipam.Config{Subnet: prefix("10.0.0.1/24")}), ipam.ErrSubnet, "10.0.0.1/24: invalid subnet: bits are set behind the prefix; the network is 10.0.0.0/24"},
		{"everything", pool(ipam.Config{Subnet: prefix("0.0.0.0/0")}), ipam.ErrSubnet, "0.0.0.0/0: invalid subnet: more than 16 million addresses; want /8 to /32"},
		{"range elsewhere", pool(ipam.Config{Subnet: subnet, Range: prefix("10.0.1.0/25")}), ipam.ErrSubnet, "range 10.0.1.0/25: invalid subnet: it is not inside 10.0.0.0/24"},
		{"range too large", pool(ipam.Config{Subnet: subnet, Range: prefix("10.0.0.0/16")}), ipam.ErrSubnet, "range 10.0.0.0/16: invalid subnet: it is not inside 10.0.0.0/24"},
		{"range with host bits", pool(ipam.Config{Subnet: subnet, Range: prefix("10.0.0.1/25")}), ipam.ErrSubnet, "range 10.0.0.1/25: invalid subnet: want a network of the same family without host bits, as in 10.0.0.0/24"},
		{"gateway outside", pool(ipam.Config{Subnet: subnet, Gateway: addr("10.0.1.1")}), ipam.ErrOutOfRange, "gateway 10.0.1.1: requested address is out of range: it is outside 10.0.0.0/24"},
		{"gateway is auxiliary", pool(ipam.Config{Subnet: subnet, Gateway: addr("10.0.0.1"), Aux: []netip.Addr{addr("10.0.0.1")}}), ipam.ErrInUse, "gateway 10.0.0.1: Address already in use"},
		{"auxiliary twice", pool(ipam.Config{Subnet: subnet, Aux: []netip.Addr{addr("10.0.0.1"), addr("10.0.0.1")}}), ipam.ErrInUse, "auxiliary address 10.0.0.1: Address already in use"},
		{"no room for a gateway", pool(ipam.Config{Subnet: prefix("10.0.0.1/32"), Aux: []netip.Addr{addr("10.0.0.1")}}), ipam.ErrNoAddress, "gateway of 10.0.0.1/32: no available addresses on this pool"},
		{"the gateway's", reserve("10.0.0.1"), ipam.ErrInUse, "10.0.0.1: Address already in use"},
		{"an auxiliary one", reserve("10.0.0.9"), ipam.ErrInUse, "10.0.0.9: Address already in use"},
		{"the network's", reserve("10.0.0.0"), ipam.ErrOutOfRange, "10.0.0.0: requested address is out of range: it names the network 10.0.0.0/24 itself"},
		{"broadcast", reserve("10.0.0.255"), ipam.ErrOutOfRange, "10.0.0.255: requested address is out of range: it is the broadcast address of 10.0.0.0/24"},
		{"outside", reserve("10.0.1.1"), ipam.ErrOutOfRange, "10.0.1.1: requested address is out of range: it is outside 10.0.0.0/24"},
		{"IPv6 address", reserve("fd00::1"), ipam.ErrOutOfRange, "fd00::1: requested address is out of range: it is outside 10.0.0.0/24"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.err == nil {
				t.Fatal("accepted")
			}
			if !errors.Is(test.err, test.is) || test.err.Error() != test.want {
				t.Errorf("got  %v\nwant %s", test.err, test.want)
			}
		})
	}
}

// TestModel plays random allocations, reservations and releases against a list that is searched from its beginning.
func TestModel(t *testing.T) {
	subnet := prefix("10.0.0.0/27")
	config := ipam.Config{Subnet: subnet, Range: prefix("10.0.0.8/29"), Gateway: addr("10.0.0.10"), Aux: []netip.Addr{addr("10.0.0.8")}}
	for seed := range uint64(200) {
		random := rand.New(rand.NewPCG(seed, 1))
		p, err := ipam.New(config)
		if err != nil {
			t.Fatal(err)
		}
		used := map[netip.Addr]bool{addr("10.0.0.8"): true, addr("10.0.0.10"): true}
		lowest := func() netip.Addr {
			for a := config.Range.Addr(); config.Range.Contains(a); a = a.Next() {
				if !used[a] {
					return a
				}
			}
			return netip.Addr{}
		}
		for step := range 100 {
			a := subnet.Addr()
			for range random.IntN(34) { // also beyond the end
				a = a.Next()
			}
			inside := subnet.Contains(a) && a != subnet.Addr() && a != addr("10.0.0.31")
			switch random.IntN(3) {
			case 0:
				want := lowest()
				if got, err := p.Allocate(); got != want || (err == nil) != want.IsValid() {
					t.Fatalf("seed %d step %d: Allocate() = %v, %v; want %v", seed, step, got, err, want)
				}
				if want.IsValid() {
					used[want] = true
				}
			case 1:
				want := inside && !used[a]
				if err := p.Reserve(a); (err == nil) != want {
					t.Fatalf("seed %d step %d: Reserve(%v) = %v, want success %v", seed, step, a, err, want)
				}
				if want {
					used[a] = true
				}
			case 2:
				want := used[a] && a != config.Gateway
				if got := p.Release(a); got != want {
					t.Fatalf("seed %d step %d: Release(%v) = %v, want %v", seed, step, a, got, want)
				}
				if want {
					delete(used, a)
				}
			}
			free := 0
			for a := config.Range.Addr(); config.Range.Contains(a); a = a.Next() {
				if !used[a] {
					free++
				}
			}
			if p.InUse() != len(used) || p.Free() != free {
				t.Fatalf("seed %d step %d: in use %d, free %d; want %d, %d", seed, step, p.InUse(), p.Free(), len(used), free)
			}
		}
	}
}

// TestDefaultSubnets pins Docker's order.
func TestDefaultSubnets(t *testing.T) {
	all := ipam.DefaultSubnets()
	if len(all) != 31 {
		t.Fatalf("%d subnets, want 15 of /16 and 16 of /20", len(all))
	}
	for i, want := range map[int]string{
		0: "172.17.0.0/16", 1: "172.18.0.0/16", 2: "172.19.0.0/16", 3: "172.20.0.0/16", 6: "172.23.0.0/16", 7: "172.24.0.0/16",
		11: "172.28.0.0/16", 14: "172.31.0.0/16", 15: "192.168.0.0/20", 16: "192.168.16.0/20", 30: "192.168.240.0/20",
	} {
		if all[i] != prefix(want) {
			t.Errorf("subnet %d is %v, want %s", i, all[i], want)
		}
	}
}

// TestNextSubnet takes every default subnet in turn, and skips those that overlap something.
func TestNextSubnet(t *testing.T) {
	tests := []struct {
		name  string
		taken []netip.Prefix
		want  string
	}{
		{name: "nothing taken", want: "172.17.0.0/16"},
		{name: "the default route is nobody's", taken: []netip.Prefix{prefix("0.0.0.0/0")}, want: "172.17.0.0/16"},
		{name: "one address is enough", taken: []netip.Prefix{prefix("172.17.3.4/32")}, want: "172.18.0.0/16"},
		{name: "a larger route", taken: []netip.Prefix{prefix("172.16.0.0/12")}, want: "192.168.0.0/20"},
		{name: "in another order", taken: []netip.Prefix{prefix("172.18.0.0/16"), prefix("172.17.0.0/16")}, want: "172.19.0.0/16"},
		{name: "IPv6 is elsewhere", taken: []netip.Prefix{prefix("fd00::/8")}, want: "172.17.0.0/16"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got, err := ipam.NextSubnet(test.taken); err != nil || got != prefix(test.want) {
				t.Errorf("got %v, %v; want %s", got, err, test.want)
			}
		})
	}
	var taken []netip.Prefix
	for range 31 {
		next, err := ipam.NextSubnet(taken)
		if err != nil {
			t.Fatal(err)
		}
		taken = append(taken, next)
	}
	if _, err := ipam.NextSubnet(taken); err == nil || err.Error() != "all predefined address pools have been fully subnetted" {
		t.Errorf("err = %v, want Docker's", err)
	}
	if err := ipam.CheckOverlap(prefix("172.17.1.0/24"), taken); err == nil || err.Error() != "172.17.1.0/24: Pool overlaps with other one on this address space: 172.17.0.0/16" {
		t.Errorf("err = %v, want Docker's", err)
	}
}
