package rule

import "strings"

// help is what -h prints.
func help(f Family) string {
	return strings.ReplaceAll(usageText, "iptables", f.tool())
}

const usageText = `Usage: iptables [-t filter|mangle|nat|raw] -A|-C CHAIN RULE     append, or look for, a rule
       iptables -I CHAIN [NUMBER] RULE                  insert a rule, first if no number is given
       iptables -D CHAIN RULE|NUMBER                    delete a rule
       iptables -R CHAIN NUMBER RULE                    replace a rule
       iptables -L|-S [CHAIN [NUMBER]] [-v] [-n] [-x] [--line-numbers]
                                                        list as a table; print as commands
       iptables -F|-Z [CHAIN]                           delete all rules; set counters to zero
       iptables -N|-X CHAIN                             make, delete a chain
       iptables -E OLD NEW                              rename a chain
       iptables -P CHAIN ACCEPT|DROP                    set a built-in chain's policy

RULE:  [!] -s ADDRESS[/MASK][,...]   [!] -d ADDRESS[/MASK][,...]   [!] -i NAME[+]   [!] -o NAME[+]   [!] -f
       [!] -p tcp|udp|icmp|all|NUMBER|NAME   -m MATCH ...   -j TARGET ...   -g CHAIN   -c PACKETS BYTES

MATCH: tcp, udp     [!] --sport PORT[:PORT]  [!] --dport PORT[:PORT]
       tcp          [!] --syn  [!] --tcp-flags MASK SET
       icmp         [!] --icmp-type TYPE[/CODE]
       multiport    [!] --sports|--dports|--ports PORT[:PORT][,...]
       conntrack    [!] --ctstate STATE[,...]  [!] --ctproto PROTOCOL  --ctdir ORIGINAL|REPLY
                    [!] --ctorigsrc|--ctorigdst|--ctreplsrc|--ctrepldst ADDRESS[/MASK], each also with port: PORT[:PORT]
       state        [!] --state STATE[,...]
       addrtype     [!] --src-type TYPE[,...]  [!] --dst-type TYPE[,...]  --limit-iface-in|--limit-iface-out
       mark         [!] --mark VALUE[/MASK]
       limit        --limit RATE[/second|/minute|/hour|/day]  --limit-burst NUMBER
       mac          [!] --mac-source ADDRESS
       iprange      [!] --src-range ADDRESS[-ADDRESS]  [!] --dst-range ADDRESS[-ADDRESS]
       statistic    --mode random [!] --probability P   --mode nth [!] --every N --packet P
       recent       [!] --set|--rcheck|--update|--remove  --name LIST  --seconds N  --hitcount N  --reap  --rttl
                    --rsource|--rdest  --mask MASK
       connlimit    [!] --connlimit-upto|--connlimit-above N  --connlimit-mask BITS  --connlimit-saddr|--connlimit-daddr
       comment      --comment TEXT

TARGET: ACCEPT, DROP, RETURN, a chain of yours
       REJECT       --reject-with TYPE
       LOG          --log-prefix TEXT  --log-level LEVEL  --log-tcp-sequence  --log-tcp-options  --log-ip-options
                    --log-uid  --log-macdecode
       MARK         --set-mark|--set-xmark VALUE[/MASK]  --and-mark|--or-mark|--xor-mark VALUE
       TCPMSS       --set-mss BYTES|--clamp-mss-to-pmtu
       MASQUERADE   --to-ports PORT[-PORT]  --random  --random-fully
       REDIRECT     --to-ports PORT[-PORT]  --random
       SNAT         --to-source [ADDRESS[-ADDRESS]][:PORT[-PORT]]  --random  --random-fully  --persistent
       DNAT         --to-destination [ADDRESS[-ADDRESS]][:PORT[-PORT[/PORT]]]  --random  --persistent
`
