package rule

import (
	"strconv"
	"strings"
)

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
