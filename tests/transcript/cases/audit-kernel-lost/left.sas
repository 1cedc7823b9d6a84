net: #1, ESTABLISHED, IKEv2, aaaaaaaaaaaaaaaa_i* bbbbbbbbbbbbbbbb_r
  local  'gw' @ 192.0.2.1[500]
  remote 'gw' @ 192.0.2.2[500]
  AES_GCM_16-256/PRF_HMAC_SHA2_384/ECP_384
  established 120s ago, rekeying in 13404s
  net: #5, reqid 1, INSTALLED, TUNNEL, ESP:AES_GCM_16-256
    installed 120s ago, rekeying in 3300s, expires in 3840s
    in  c0000001,     84 bytes,     1 packets,     0s ago
    out c0000002,     84 bytes,     1 packets,     0s ago
    local  10.1.1.0/24
    remote 10.2.1.0/24
