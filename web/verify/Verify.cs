using System;
using System.Linq;
using System.Security.Cryptography;
using System.Text;

/// <summary>Verifies a postback's signature, of any body and of a GET.</summary>
static class Verify
{
    const string Secret = "whsec_YOUR_SECRET";

    /// <summary>The headers webhook-id, webhook-timestamp and webhook-signature, and the body as it came.</summary>
    public static bool IsOurs(string id, string timestamp, string signatures, byte[] body)
    {
        if (!long.TryParse(timestamp, out var at) || Math.Abs(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - at) > 300)
            return false;
        using var mac = new HMACSHA256(Convert.FromBase64String(Secret.Substring("whsec_".Length)));
        var message = Encoding.UTF8.GetBytes($"{id}.{timestamp}.").Concat(body).ToArray();
        var mine = Encoding.UTF8.GetBytes("v1," + Convert.ToBase64String(mac.ComputeHash(message)));
        return signatures.Split(' ').Any(one => CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(one), mine));
    }
}
