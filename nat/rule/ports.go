package rule

import (
	"strconv"
	"strings"
)

// portRange is a range of ports, both ends included.
type portRange struct {
	low, high uint16
	invert    bool
}

// allPorts is the range that needs no mention.
var allPorts = portRange{high: 65535}

// contains reports whether the condition holds for a port.
func (r portRange) contains(port uint16) bool {
	return (r.low <= port && port <= r.high) != r.invert
}

// save writes the range behind its option.
func (r portRange) save(b *strings.Builder, option string) {
	if r == allPorts {
		return
	}
	writeNot(b, r.invert)
	b.WriteString(" --" + option + " " + decimal(r.low))
	if r.high != r.low {
		b.WriteString(":" + decimal(r.high))
	}
}

// list writes the range for a listing: " dpt:80", " dpts:!80:90".
func (r portRange) list(b *strings.Builder, word, proto string, numeric bool) {
	if r == allPorts {
		return
	}
	b.WriteString(" " + word)
	if r.high != r.low {
		b.WriteString("s:" + bang(r.invert) + serviceName(r.low, proto, numeric) + ":" + serviceName(r.high, proto, numeric))
		return
	}
	b.WriteString(":" + bang(r.invert) + serviceName(r.low, proto, numeric))
}

// parsePortRange reads port[:port]; an end that is left out is the first or the last port.
func parsePortRange(arg string, invert bool) (portRange, error) {
	r := portRange{high: 65535, invert: invert}
	low, high, colon := strings.Cut(arg, ":")
	if !colon {
		high = low
	}
	if !colon || low != "" {
		if err := port(low, &r.low); err != nil {
			return r, err
		}
	}
	if !colon || high != "" {
		if err := port(high, &r.high); err != nil {
			return r, err
		}
	}
	if r.low > r.high {
		return r, usage("invalid portrange (min > max)")
	}
	return r, nil
}

// transportPorts is parsePortRange for tcp and udp, where nf_tables turns "not up to 1023" into "from 1024 on".
func transportPorts(g given) (portRange, error) {
	r, err := parsePortRange(g.args[0], g.invert)
	if r.invert && r.low == 0 && 0 < r.high && r.high < 65535 {
		r = portRange{low: r.high + 1, high: 65535}
	}
	return r, err
}

// port reads one port, by number or by the name of its service.
func port(arg string, to *uint16) error {
	p, ok := parsePort(arg)
	if !ok {
		return usage("invalid port/service `%s' specified", arg)
	}
	*to = p
	return nil
}

// parsePort reads a port, by number or by the name of its service.
func parsePort(arg string) (uint16, bool) {
	if n, ok := parseNumber(arg, 65535); ok {
		return uint16(n), true
	}
	return servicePort(arg)
}

// Protocols beside those of package frame that have a rule of their own here (IANA).
const (
	protoDCCP    = 33
	protoICMPv6  = 58
	protoSCTP    = 132
	protoUDPLite = 136
)

// protocolNames are the names that iptables prints: /etc/protocols as Debian has it.
var protocolNames = map[uint8]string{
	1: "icmp", 2: "igmp", 3: "ggp", 4: "ipencap", 5: "st", 6: "tcp", 8: "egp", 9: "igp", 12: "pup", 17: "udp",
	20: "hmp", 22: "xns-idp", 27: "rdp", 29: "iso-tp4", 33: "dccp", 36: "xtp", 37: "ddp", 38: "idpr-cmtp",
	41: "ipv6", 43: "ipv6-route", 44: "ipv6-frag", 45: "idrp", 46: "rsvp", 47: "gre", 50: "esp", 51: "ah",
	57: "skip", 58: "ipv6-icmp", 59: "ipv6-nonxt", 60: "ipv6-opts", 73: "rspf", 81: "vmtp", 88: "eigrp",
	89: "ospf", 93: "ax.25", 94: "ipip", 97: "etherip", 98: "encap", 103: "pim", 108: "ipcomp", 112: "vrrp",
	115: "l2tp", 124: "isis", 132: "sctp", 133: "fc", 135: "mobility-header", 136: "udplite", 137: "mpls-in-ip",
	138: "manet", 139: "hip", 140: "shim6", 141: "wesp", 142: "rohc", 143: "ethernet",
}

// protocolNumbers is the way back, with the spellings that iptables knows besides.
var protocolNumbers = func() map[string]uint8 {
	numbers := map[string]uint8{"all": 0, "ip": 0, "hopopt": 0, "icmpv6": protoICMPv6, "ipv6-mh": 135, "mh": 135}
	for number, name := range protocolNames {
		numbers[name] = number
	}
	return numbers
}()

// protocolName returns the name of a protocol, or its number.
func protocolName(number uint8) string {
	if name := protocolNames[number]; name != "" {
		return name
	}
	return decimal(number)
}

// parseProtocol reads a number or a name, in any case of letters; all, and 0, are any protocol.
func parseProtocol(arg string) (uint8, error) {
	if n, ok := parseNumber(arg, 255); ok {
		return uint8(n), nil
	}
	if n, ok := protocolNumbers[strings.ToLower(arg)]; ok {
		return n, nil
	}
	return 0, usage("unknown protocol \"%s\" specified", arg)
}

// wellKnown are the services that rules may name and listings do: name/port and t, u or both for TCP and UDP. It is the
// part of Debian's /etc/services that tutorials meet; a machine with a longer file names more ports.
const wellKnown = `
	tcpmux/1t echo/7tu discard/9tu systat/11t daytime/13tu netstat/15t qotd/17t chargen/19tu ftp-data/20t fsp/21u
	ftp/21t ssh/22t telnet/23t smtp/25t time/37tu whois/43t tacacs/49tu domain/53tu bootps/67u bootpc/68u tftp/69u
	gopher/70t finger/79t http/80t kerberos/88tu iso-tsap/102t pop3/110t sunrpc/111tu auth/113t nntp/119t ntp/123u
	epmap/135t netbios-ns/137u netbios-dgm/138u netbios-ssn/139t imap2/143t snmp/161tu snmp-trap/162tu bgp/179t
	ptp-event/319u ptp-general/320u ldap/389tu svrloc/427tu https/443tu microsoft-ds/445t kpasswd/464tu
	submissions/465t isakmp/500u biff/512u exec/512t login/513t who/513u shell/514t syslog/514u printer/515t
	talk/517u ntalk/518u route/520u uucp/540t klogin/543t kshell/544t dhcpv6-client/546u dhcpv6-server/547u
	rtsp/554tu nntps/563t submission/587t ipp/631t ldaps/636tu ldp/646tu tinc/655tu domain-s/853tu rsync/873t
	ftps-data/989t ftps/990t telnets/992t imaps/993t pop3s/995t socks/1080t openvpn/1194tu ms-sql-s/1433t l2f/1701u
	radius/1812tu radius-acct/1813tu nfs/2049tu mysql/3306t ms-wbt-server/3389t svn/3690t ipsec-nat-t/4500u
	sip/5060tu sip-tls/5061tu xmpp-client/5222t xmpp-server/5269t mdns/5353u postgresql/5432t amqps/5671t
	amqp/5672t redis/6379t syslog-tls/6514t ircd/6667t http-alt/8080t tproxy/8081t git/9418t zabbix-agent/10050t
	zabbix-trapper/10051t
`

// serviceAliases are second names, which are read and never printed.
var serviceAliases = map[string]string{
	"www": "http", "mail": "smtp", "imap": "imap2", "pop-3": "pop3", "portmapper": "sunrpc", "ident": "auth",
	"snmptrap": "snmp-trap", "smtps": "submissions", "postgres": "postgresql", "webcache": "http-alt", "l2tp": "l2f",
}

// service is a port of one protocol.
type service struct {
	proto string
	port  uint16
}

var serviceNames, servicePorts = readServices()

// readServices makes the maps for both ways of looking up.
func readServices() (names map[service]string, ports map[string]uint16) {
	names, ports = map[service]string{}, map[string]uint16{}
	for _, entry := range strings.Fields(wellKnown) {
		name, rest, _ := strings.Cut(entry, "/")
		digits := strings.TrimRight(rest, "tu")
		n, _ := strconv.ParseUint(digits, 10, 16) // 0, and a failing test, for what is no number
		port := uint16(n)
		ports[name] = port
		if strings.Contains(rest, "t") {
			names[service{"tcp", port}] = name
		}
		if strings.Contains(rest, "u") {
			names[service{"udp", port}] = name
		}
	}
	for alias, name := range serviceAliases {
		ports[alias] = ports[name]
	}
	return names, ports
}

// serviceName prints a port: by the name of its service unless numeric, by number where it has none.
func serviceName(port uint16, proto string, numeric bool) string {
	if name := serviceNames[service{proto, port}]; name != "" && !numeric {
		return name
	}
	return decimal(port)
}

// servicePort finds a service's port by its name.
func servicePort(name string) (uint16, bool) {
	port, ok := servicePorts[name]
	return port, ok
}
