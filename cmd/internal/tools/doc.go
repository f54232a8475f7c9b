// Package tools is the wing of what people type. Each of its packages is a program that they know from elsewhere, or one that
// shows a lab as none of those could, and each talks to a lab by control/api alone:
//
//	hosttool    ip, bridge, brctl, route, arp, ifconfig, ss      words in, requests out, view's tables
//	view        what all those print: structs of control/api in, text and JSON out
//	tcpdump     frames, filters, a line for each                 /v1/frames
//	ping, traceroute                                             /v1/raw, or sockets of this machine
//	step, watch packets held and let go on; a lab on one screen  /v1/step, /v1/trace, the tables
//	join        two captures of two machines, side by side       files
//	graph       a lab laid out, as SVG and in others' words      behind /v1/graph
//	serve       a small web server for hosts that have none
//
//	words --> a tool --> control/api --> the lab
//	            |
//	            +------> view --> text
package tools
