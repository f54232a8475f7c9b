// Package ping is a small ping (ICMP echo, RFC 792) for machines that have none: its output and exit status are those of
// iputils' ping as far as it goes. It sends through a raw socket where that is allowed and through a ping socket, which
// needs no privileges, where it is not.
package ping
